//! Which fields identify an alert where a person chose them: they replace the source's own id.
//!
//! A change of the choice is a migration: new occurrences get the new fingerprint, those that fire go on under the one
//! that they have. [`Alert::formerly`] carries the fingerprints by which an occurrence may be known already.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::alert::{Alert, Identity};
use crate::fingerprint::{Field, Fingerprint, IdentityInputs};

/// What a person may say about one source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// The fields that identify an alert together; empty means the source's own id.
    pub identity: Vec<Path>,
    /// Earlier choices, kept until nothing fires any more that was identified by them. The source's own id is always among
    /// them.
    pub formerly: Vec<Vec<Path>>,
}

/// A field of an alert that may take part in its identity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Path {
    /// The rule or monitor that fired.
    Name,
    Service,
    /// Whatever the source identifies an alert by.
    Own,
    Label(String),
    Annotation(String),
}

/// A path that means nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no field of an alert's identity; take `name`, `service`, `own`, `labels.<name>` or `annotations.<name>`"
)]
pub struct UnknownPath(String);

impl TryFrom<String> for Path {
    type Error = UnknownPath;

    fn try_from(text: String) -> Result<Self, UnknownPath> {
        match text.split_once('.') {
            None if text == "name" => Ok(Path::Name),
            None if text == "service" => Ok(Path::Service),
            None if text == "own" => Ok(Path::Own),
            Some(("labels", name)) if !name.is_empty() => Ok(Path::Label(name.to_owned())),
            Some(("annotations", name)) if !name.is_empty() => {
                Ok(Path::Annotation(name.to_owned()))
            }
            _ => Err(UnknownPath(text)),
        }
    }
}

impl From<Path> for String {
    fn from(path: Path) -> Self {
        path.to_string()
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Name => f.write_str("name"),
            Path::Service => f.write_str("service"),
            Path::Own => f.write_str("own"),
            Path::Label(name) => write!(f, "labels.{name}"),
            Path::Annotation(name) => write!(f, "annotations.{name}"),
        }
    }
}

impl Options {
    /// The alert under the chosen identity, and what a person should know of it.
    ///
    /// An alert in doubt stays as weak as its source made it: no choice of fields makes it certain.
    pub(super) fn identify(&self, alert: Alert) -> (Alert, Option<String>) {
        if self.identity.is_empty() && self.formerly.is_empty() || alert.is_in_doubt() {
            return (alert, None);
        }
        let chosen = if self.identity.is_empty() {
            alert.identity_inputs.clone()
        } else {
            inputs(&self.identity, &alert)
        };
        if !chosen.values().any(Field::is_meaningful) {
            let names: Vec<String> = self.identity.iter().map(ToString::to_string).collect();
            let finding = format!(
                "`{}` has none of the fields that identify it ({}): it keeps the source's own id and is never acted upon",
                alert.name,
                names.join(", ")
            );
            return (Alert { identity: Identity::Weak, ..alert }, Some(finding));
        }
        let fingerprint = Fingerprint::of(&alert.source, &chosen);
        let earlier = self.formerly.iter().map(|paths| inputs(paths, &alert));
        let mut formerly: Vec<Fingerprint> = earlier
            .filter(|inputs| inputs.values().any(Field::is_meaningful))
            .map(|inputs| Fingerprint::of(&alert.source, &inputs))
            .chain([alert.fingerprint.clone()])
            .collect();
        formerly.sort();
        formerly.dedup();
        formerly.retain(|former| *former != fingerprint);
        let identity = if self.identity.is_empty() { alert.identity } else { Identity::Strong };
        (Alert { fingerprint, identity, identity_inputs: chosen, formerly, ..alert }, None)
    }
}

fn inputs(paths: &[Path], alert: &Alert) -> IdentityInputs {
    let mut inputs = IdentityInputs::new();
    let of = |map: &BTreeMap<String, String>, name: &str| {
        map.get(name).map_or(Field::Missing, |value| value.as_str().into())
    };
    for path in paths {
        let field = match path {
            Path::Own => {
                let own = alert.identity_inputs.iter();
                inputs.extend(own.map(|(name, field)| (format!("own.{name}"), field.clone())));
                continue;
            }
            Path::Name => alert.name.as_str().into(),
            Path::Service => alert.service.as_str().into(),
            Path::Label(name) => of(&alert.labels, name),
            Path::Annotation(name) => of(&alert.annotations, name),
        };
        inputs.insert(path.to_string(), field);
    }
    inputs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::draft;

    fn options(json: &str) -> Options {
        serde_json::from_str(json).unwrap()
    }

    fn on(instance: &str) -> Alert {
        draft("slow-api-data", instance).seal()
    }

    #[test]
    fn chosen_fields_replace_the_own_id_which_is_kept_as_a_former_one() {
        let own = on("i-1");
        let (alert, finding) =
            options(r#"{"identity":["labels.monitor","service"]}"#).identify(own.clone());
        assert_eq!((alert.identity, finding), (Identity::Strong, None));
        assert_eq!(alert.formerly, [own.fingerprint]);
        let (other, _) =
            options(r#"{"identity":["service","labels.monitor"]}"#).identify(on("i-2"));
        assert_eq!(other.fingerprint, alert.fingerprint, "neither order nor instance is chosen");
        let paths: Vec<&str> = alert.identity_inputs.keys().map(String::as_str).collect();
        assert_eq!(paths, ["labels.monitor", "service"]);
    }

    #[test]
    fn going_back_to_the_own_id_knows_the_chosen_fingerprints() {
        let (chosen, _) = options(r#"{"identity":["labels.monitor"]}"#).identify(on("i-1"));
        let (back, _) = options(r#"{"formerly":[["labels.monitor"]]}"#).identify(on("i-1"));
        assert_eq!(back.fingerprint, on("i-1").fingerprint);
        assert_eq!(back.formerly, [chosen.fingerprint]);
    }

    #[test]
    fn an_alert_without_any_chosen_field_keeps_its_fingerprint_and_is_weak() {
        let (alert, finding) = options(r#"{"identity":["labels.pod"]}"#).identify(on("i-1"));
        assert_eq!((alert.identity, &alert.fingerprint), (Identity::Weak, &on("i-1").fingerprint));
        assert!(finding.unwrap().contains("labels.pod"));
    }

    #[test]
    fn no_choice_of_fields_makes_a_doubtful_alert_strong() {
        let doubtful = draft("slow-api-data", "i-1").seal_in_doubt("trigger_type");
        let (alert, _) = options(r#"{"identity":["labels.monitor"]}"#).identify(doubtful.clone());
        assert_eq!(alert, doubtful);
    }

    #[test]
    fn a_path_that_means_nothing_is_refused_by_name() {
        for wrong in ["pod", "labels.", "labels", "status", ""] {
            let error =
                serde_json::from_value::<Path>(serde_json::json!(wrong)).unwrap_err().to_string();
            assert!(error.contains("labels.<name>"), "{wrong}: {error}");
        }
        assert!(serde_json::from_str::<Options>(r#"{"identities":[]}"#).is_err());
        let path: Path = serde_json::from_str(r#""labels.a.b""#).unwrap();
        assert_eq!(path, Path::Label("a.b".to_owned()));
    }
}

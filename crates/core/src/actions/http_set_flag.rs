//! `http.set_flag`: sets a flag of a service through its admin API, and puts the old value back after.
//!
//! The target is the URL of the flag. `GET` answers `{"name", "value", "version"}`; `PUT` takes
//! `{"value", "if_version"}` and answers the same shape, or 409 when the version has moved on.

use jiff::SignedDuration;
use serde_json::{Map, Value};

use super::{Action, Form, Parameter, Permission, Repeat, Reversal, Signal};
use crate::target::Target;

pub(super) struct HttpSetFlag;

impl Action for HttpSetFlag {
    fn name(&self) -> &'static str {
        "http.set_flag"
    }

    fn family(&self) -> &'static str {
        "http"
    }

    fn summary(&self) -> &'static str {
        "Sets a flag of a service over HTTP (degraded mode, a kill switch) and restores the captured value after."
    }

    fn target_kind(&self) -> &'static str {
        "http.flag"
    }

    fn check_target(&self, id: &str) -> Result<(), &'static str> {
        let rest =
            id.strip_prefix("https://").or_else(|| id.strip_prefix("http://")).unwrap_or_default();
        let path = rest.split_once('/').map(|(_, path)| path).unwrap_or_default();
        let plain = id.chars().all(|c| c.is_ascii_graphic() && !"*?#@\\".contains(c));
        if plain && !path.is_empty() && !id.contains("..") {
            Ok(())
        } else {
            Err("a flag is an http or https URL with a path and without user, query or fragment")
        }
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[Parameter {
            name: "value",
            required: true,
            form: Form::Scalar,
            summary: "the value to set: a boolean, a number or a text",
        }]
    }

    fn repeat(&self) -> Repeat {
        Repeat::Idempotent
    }

    fn reversal(&self) -> Reversal {
        Reversal::Undo
    }

    fn signals(&self) -> &'static [Signal] {
        &[Signal {
            name: "http.flag_set",
            lag: SignedDuration::ZERO,
            summary: "the flag reads back as it was set",
        }]
    }

    fn expected_for(&self) -> SignedDuration {
        SignedDuration::ZERO
    }

    fn permissions(&self) -> &'static [Permission] {
        &[]
    }

    fn effect(&self, _target: &Target, with: &Map<String, Value>) -> String {
        let value = with.get("value").unwrap_or(&Value::Null);
        format!("it reads {value}; the value before is restored afterwards")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_a_plain_url_with_a_path() {
        for good in
            ["http://127.0.0.1:8090/admin/flags/degraded_mode", "https://shop.example/flags/a"]
        {
            assert!(HttpSetFlag.check_target(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "*",
            "ftp://a/b",
            "http://a",
            "http://a/",
            "http://u@a/b",
            "http://a/b?c",
            "http://a/../b",
        ] {
            assert!(HttpSetFlag.check_target(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn parameters_are_checked_by_name() {
        let with = |json: Value| json.as_object().cloned().unwrap_or_default();
        assert!(HttpSetFlag.check_parameters(&with(serde_json::json!({"value": true}))).is_ok());
        assert!(
            HttpSetFlag
                .check_parameters(&with(serde_json::json!({})))
                .unwrap_err()
                .contains("`value`")
        );
        let unknown = HttpSetFlag
            .check_parameters(&with(serde_json::json!({"value": 1, "vlaue": 2})))
            .unwrap_err();
        assert!(unknown.contains("`vlaue`"));
    }
}

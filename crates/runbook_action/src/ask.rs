//! What the function is asked for: by the state machine, or by EventBridge when an execution failed.

use firebreak_core::approval::ApprovalToken;
use firebreak_core::ids::IncidentId;
use firebreak_core::muting::{SilenceDraft, SilenceId};
use firebreak_core::run::Order;
use serde::Deserialize;
use serde_json::Value;

use crate::fault::Fault;

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Ask {
    /// What is next?
    Advance { incident_id: IncidentId, driver: String },
    /// Carry this out.
    Act { incident_id: IncidentId, order: Order },
    /// A person says yes to the plan that the token names. Who may say so is who may invoke this function.
    Approve { token: ApprovalToken, by: String },
    /// A person says no.
    Reject { token: ApprovalToken, by: String, reason: String },
    /// A minute has passed: see to what no sender speaks of.
    Sweep {},
    /// A person asks for quiet, or for another end of it.
    SilenceAdd(SilenceDraft),
    /// Which silences are there?
    SilenceList {},
    /// A person ends a silence.
    SilenceExpire { id: SilenceId, by: String },
    /// How does the breaker stand?
    BreakerStatus {},
    /// A person lets actions go on after too many did no good.
    BreakerReset { by: String, reason: String },
    /// The execution that drove the incident is no more. Never asked for by name.
    #[serde(skip)]
    Died { incident_id: IncidentId, driver: String, how: String },
}

/// <https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html>
#[derive(Deserialize)]
struct StatusChange {
    detail: Execution,
}

#[derive(Deserialize)]
struct Execution {
    name: String,
    status: String,
    /// JSON, as text. Absent where it is too large for an event; ours never is.
    input: Option<String>,
}

#[derive(Deserialize)]
struct Input {
    incident_id: IncidentId,
}

pub(crate) fn read(payload: Value) -> Result<Ask, Fault> {
    let bad = |error: serde_json::Error| Fault::BadRequest(error.to_string());
    if payload.get("source").and_then(Value::as_str) != Some("aws.states") {
        return serde_json::from_value(payload).map_err(bad);
    }
    let StatusChange { detail } = serde_json::from_value(payload).map_err(bad)?;
    let input = detail.input.ok_or_else(|| {
        Fault::BadRequest(format!("execution {} comes without its input", detail.name))
    })?;
    let Input { incident_id } = serde_json::from_str(&input).map_err(bad)?;
    let how = format!("ended as {} (execution {})", detail.status, detail.name);
    Ok(Ask::Died { incident_id, driver: detail.name, how })
}

impl Ask {
    /// Deciding and acting have different powers, hence different functions. Of which family an order is
    /// shows in the record: hands of another family do not take it.
    pub(crate) fn is_for(&self, family: Option<&str>) -> Result<(), Fault> {
        match (self, family) {
            (Ask::Act { .. }, None) => Err(Fault::WrongFunction(
                "this function decides and does not act: ACTION_FAMILY is not set".to_owned(),
            )),
            (Ask::Act { .. }, Some(_)) | (_, None) => Ok(()),
            (_, Some(family)) => Err(Fault::WrongFunction(format!(
                "this function acts for `{family}` and does not decide"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use firebreak_core::run::Work;
    use serde_json::json;

    use super::*;

    fn sample(name: &str) -> Value {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/runbook_action");
        let text = std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    fn incident() -> IncidentId {
        IncidentId::try_from("inc_01K9ZJ5V8E3R0Q4T6Y8W2B5N7M".to_owned()).unwrap()
    }

    const DRIVER: &str = "4f1c2a90-6d1e-4f6b-9f0e-2b8d5a1c7e33";

    #[test]
    fn the_state_machine_asks_and_orders() {
        let advance = Ask::Advance { incident_id: incident(), driver: DRIVER.to_owned() };
        assert_eq!(read(sample("advance")), Ok(advance));
        let order = Order { run: 1, work: Work::Apply { row: 0, fence: 7 } };
        assert_eq!(read(sample("act")), Ok(Ask::Act { incident_id: incident(), order }));
    }

    #[test]
    fn a_person_approves_by_invoking_the_function() {
        let Ok(Ask::Approve { token, by }) = read(sample("approve")) else {
            panic!("not an approval")
        };
        assert_eq!((token.incident, token.run, by.as_str()), (incident(), 1, "ana"));
        let reject = json!({"op": "reject", "token": "inc_1.1", "by": "ana", "reason": "no"});
        assert!(matches!(read(reject), Err(Fault::BadRequest(_))));
    }

    #[test]
    fn the_schedule_asks_for_the_sweep_more_often_than_anything_waits_for_it() {
        let wiring = include_str!("../../../terraform/wiring/sweep.json");
        let wiring: Value = serde_json::from_str(wiring).unwrap();
        assert_eq!(read(wiring["input"].clone()), Ok(Ask::Sweep {}));
        assert_eq!(wiring["schedule"], "rate(1 minute)");
        assert!(jiff::SignedDuration::from_mins(1) < firebreak_core::heartbeat::Watch::LONGEST_GAP);
    }

    #[test]
    fn a_person_asks_for_quiet_by_invoking_the_function() {
        let Ok(Ask::SilenceAdd(draft)) = read(sample("silence_add")) else { panic!("no silence") };
        assert_eq!(
            (draft.owner.as_str(), draft.matchers.to_string()),
            ("ana", r#"service="checkout""#.to_owned())
        );
        assert_eq!(read(json!({"op": "silence_list"})), Ok(Ask::SilenceList {}));
        let expire =
            json!({"op": "silence_expire", "id": "sil_01K9ZJ5V8E3R0Q4T6Y8W2B5N7M", "by": "ana"});
        assert!(matches!(read(expire), Ok(Ask::SilenceExpire { by, .. }) if by == "ana"));
        for ask in ["silence_add", "silence_list", "sweep"] {
            let odd = json!({"op": ask, "colour": "red"});
            assert!(read(odd).unwrap_err().to_string().contains("colour"), "{ask}");
        }
    }

    #[test]
    fn a_person_asks_for_the_breaker_and_resets_it() {
        assert_eq!(read(json!({"op": "breaker_status"})), Ok(Ask::BreakerStatus {}));
        let (by, reason) = ("ana".to_owned(), "the image was bad".to_owned());
        let reset = json!({"op": "breaker_reset", "by": by, "reason": reason});
        assert_eq!(read(reset), Ok(Ask::BreakerReset { by, reason }));
        assert!(matches!(
            read(json!({"op": "breaker_reset", "by": "ana"})),
            Err(Fault::BadRequest(_))
        ));
    }

    #[test]
    fn a_failed_execution_names_its_incident_and_itself() {
        let how = format!("ended as ABORTED (execution {DRIVER})");
        let died = Ask::Died { incident_id: incident(), driver: DRIVER.to_owned(), how };
        assert_eq!(read(sample("failed_execution")), Ok(died));
        let mut without = sample("failed_execution");
        without["detail"]["input"] = Value::Null;
        assert!(matches!(read(without), Err(Fault::BadRequest(_))));
    }

    #[test]
    fn anything_else_is_refused_with_what_is_wrong() {
        for (payload, expected) in [
            (json!({}), "op"),
            (json!({"op": "reboot"}), "reboot"),
            (json!({"op": "died", "incident_id": "inc_1", "driver": "d", "how": "h"}), "died"),
            (json!({"op": "advance", "incident_id": "1", "driver": "d"}), "inc_"),
            (json!({"op": "advance", "incident_id": "inc_1"}), "driver"),
            (json!({"op": "act", "incident_id": "inc_1", "order": {"run": 1}}), "work"),
            (
                json!({"op": "act", "incident_id": "inc_1", "order": {"run": 1, "work": {"work": "observe"}}, "target": "i-1"}),
                "target",
            ),
        ] {
            let fault = read(payload.clone()).unwrap_err();
            assert!(fault.to_string().contains(expected), "{payload}: {fault}");
        }
    }

    #[test]
    fn deciding_and_acting_do_not_mix() {
        let (advance, act) = (read(sample("advance")).unwrap(), read(sample("act")).unwrap());
        let died = read(sample("failed_execution")).unwrap();
        assert!(advance.is_for(None).is_ok() && died.is_for(None).is_ok());
        assert!(act.is_for(Some("ec2")).is_ok());
        for (ask, family) in [(&advance, Some("ec2")), (&died, Some("http")), (&act, None)] {
            assert!(matches!(ask.is_for(family), Err(Fault::WrongFunction(_))), "{ask:?}");
        }
    }
}

//! `kill -9` at any moment: after a restart the run goes on, nothing is lost and nothing is done twice.

use firebreak_checkout::Knobs;
use serde_json::{Value, json};

use crate::platform::{Platform, answer, client, count, folder, names, webhook};

/// The state of the flag that the runbook sets.
async fn flag(url: &str) -> (Value, u64) {
    let (status, flag) = answer(client().get(url)).await;
    assert_eq!(status, 200);
    (flag["value"].clone(), flag["version"].as_u64().unwrap())
}

/// Kills the platform as soon as its record holds `events`, for each of many numbers of events.
#[tokio::test]
async fn a_killed_platform_goes_on_and_acts_once() {
    for events in [1, 3, 4, 5, 6, 7, 8, 10, 12] {
        let checkout = firebreak_checkout::start("127.0.0.1:0".parse().unwrap(), Knobs::default())
            .await
            .unwrap();
        let origin = format!("http://{}", checkout.addr());
        let flag_url = format!("{origin}/admin/flags/degraded_mode");
        let folder = folder("auto");
        let (_, version) = flag(&flag_url).await;

        let platform = Platform::start(folder.path(), &origin);
        let (status, report) = platform.deliver("alertmanager", webhook("firing", &flag_url)).await;
        assert_eq!((status, &report["accepted"][0]["outcome"]), (202, &json!("opened")));
        platform.until("enough events to kill it", |shown| names(shown).len() >= events).await;
        platform.kill();

        let platform = Platform::start(folder.path(), &origin);
        platform.until("the call was made", |shown| count(shown, "step.sent") == 1).await;
        let (status, _) = platform.deliver("alertmanager", webhook("resolved", &flag_url)).await;
        assert_eq!(status, 202);
        let shown = platform.until("the run ended", |shown| count(shown, "run.ended") == 1).await;

        let told = format!("killed after {events} events: {:#?}", names(&shown));
        // Killed between the record and the call: the call is then never made, the record says that nobody
        // knows, and the evidence that the flag was never set.
        let outcome = &shown["runs"][0]["phase"]["outcome"];
        let never_called = count(&shown, "step.unknown") == 1 && outcome == "useless";
        let writes = if never_called { 0..=1 } else { 2..=2 };
        assert_eq!(count(&shown, "step.sent"), 1, "{told}");
        assert_eq!(count(&shown, "incident.opened"), 1, "{told}");
        assert_eq!(shown["incident"]["status"], "resolved", "{told}");
        assert!(never_called || outcome == "helped", "{outcome} {told}");
        // Set once and put back once: any second call would have raised the version further.
        let (value, after) = flag(&flag_url).await;
        assert_eq!(value, json!(false), "{told}");
        assert!(writes.contains(&(after - version)), "{} writes, {told}", after - version);
        let seqs: Vec<u64> = shown["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| event["seq"].as_u64().unwrap())
            .collect();
        assert!(seqs.iter().copied().eq(1..=seqs.len() as u64), "{told}");
        assert_eq!(platform.stop(), Some(0));
        checkout.stop().await.unwrap();
    }
}

//! What a sender may not: send more than its limit, or a body that is too large.

use jiff::SignedDuration;

use crate::world::{Answer, SECRET, World};

async fn send(world: &World, body: &[u8]) -> Answer {
    let token = vec![("authorization".to_owned(), format!("Bearer {SECRET}"))];
    world.post("alertmanager", &token, body, None).await
}

fn firing(alerts: usize) -> Vec<u8> {
    let alert = |n: usize| {
        format!(
            r#"{{"status":"firing","labels":{{"alertname":"Slow","pod":"p-{n}"}},"startsAt":"2026-11-21T04:00:00Z","fingerprint":"{n:x}"}}"#
        )
    };
    let alerts: Vec<String> = (0..alerts).map(alert).collect();
    format!(r#"{{"version":"4","alerts":[{}]}}"#, alerts.join(",")).into_bytes()
}

#[tokio::test]
async fn a_source_over_its_limit_waits_and_loses_nothing() {
    let world = World::new("sources: { alertmanager: { limit: { rate: 2, burst: 5 } } }");
    let first = send(&world, &firing(15)).await;
    assert_eq!((first.status, first.accepted()), (202, 15), "a delivery above the burst gets in");

    let over = send(&world, &firing(1)).await;
    assert_eq!((over.status, over.retry_after), (503, Some(6)));
    assert_eq!(over.body["error"]["code"], "limited");

    world.clock.forward(SignedDuration::from_secs(6));
    assert_eq!(send(&world, &firing(16)).await.accepted(), 16);
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_however_it_is_sent() {
    let world = World::new("{}");
    for size in [1024 * 1024 + 1, 20 * 1024 * 1024] {
        let answer = send(&world, &vec![b' '; size]).await;
        assert_eq!((answer.status, &answer.body["error"]["code"]), (413, &"too_large".into()));
    }
    assert_eq!(send(&world, &vec![b' '; 1024 * 1024]).await.status, 202, "kept as unreadable");
}

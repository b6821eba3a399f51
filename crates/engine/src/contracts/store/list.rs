//! Promises about lists. They may lag behind an append, so each is asked until it agrees.

use std::sync::Arc;

use firebreak_core::ids::IncidentId;
use firebreak_core::incident::{Event, Incident, Status};

use super::{eventually, written};
use crate::contracts::examples::{at, draft, firing, next, opening};
use crate::ports::{ListQuery, Store};

async fn ids(store: &dyn Store, query: &ListQuery) -> Vec<IncidentId> {
    let page = store.list(query).await.expect("incidents can be listed");
    page.incidents.into_iter().map(|incident| incident.id).collect()
}

async fn listed(store: &dyn Store, query: &ListQuery, expected: &[&Incident]) {
    let expected: Vec<IncidentId> = expected.iter().map(|incident| incident.id.clone()).collect();
    eventually(expected, || ids(store, query)).await;
}

/// Opens one incident for the service at the time.
async fn open(store: &dyn Store, service: &str, seconds: i64) -> Incident {
    let mut draft = draft(&format!("rule-{service}-{seconds}"), "i-1");
    draft.service = Some(service.to_owned());
    let append = opening(&draft.seal(), at(seconds));
    written(store, &append).await;
    append.incident
}

async fn escalate(store: &dyn Store, incident: &Incident) -> Incident {
    let escalated = Event::Escalated { reason: "nothing helped".to_owned() };
    let append = next(incident, vec![escalated], at(500));
    written(store, &append).await;
    append.incident
}

pub(super) async fn order_and_filters(store: Arc<dyn Store>) {
    let store = &*store;
    // Written out of order: the order is by opening.
    let middle = open(store, "checkout", 20).await;
    let newest = open(store, "search", 30).await;
    let oldest = open(store, "checkout", 10).await;
    let middle = escalate(store, &middle).await;

    let all = ListQuery { limit: 200, ..ListQuery::default() };
    listed(store, &all, &[&newest, &middle, &oldest]).await;
    let first = ListQuery { limit: 1, ..ListQuery::default() };
    listed(store, &first, &[&newest]).await;
    let checkout = ListQuery { service: Some("checkout".to_owned()), ..all.clone() };
    listed(store, &checkout, &[&middle, &oldest]).await;
    let open = ListQuery { status: Some(Status::Open), ..all.clone() };
    listed(store, &open, &[&newest, &oldest]).await;
    let both = ListQuery { status: Some(Status::Escalated), ..checkout.clone() };
    listed(store, &both, &[&middle]).await;
    let none = ListQuery { status: Some(Status::Closed), ..all.clone() };
    listed(store, &none, &[]).await;
    let unknown = ListQuery { service: Some("nobody".to_owned()), ..all };
    listed(store, &unknown, &[]).await;
}

pub(super) async fn pages(store: Arc<dyn Store>) {
    let mut opened = Vec::new();
    for n in 0..11 {
        // Three at a time share their second.
        let append = opening(&firing(&format!("rule-{n}"), "i-1"), at(n / 3));
        written(&*store, &append).await;
        let incident = append.incident;
        opened.push(if n % 2 == 0 { escalate(&*store, &incident).await } else { incident });
    }
    opened.sort_by(|one, other| (other.opened_at, &other.id).cmp(&(one.opened_at, &one.id)));
    for status in [None, Some(Status::Open), Some(Status::Escalated)] {
        let expected: Vec<&Incident> = opened
            .iter()
            .filter(|incident| status.is_none_or(|status| incident.status == status))
            .collect();
        listed(&*store, &ListQuery { status, limit: 200, ..ListQuery::default() }, &expected).await;
        for limit in [1, 2, 4, 11] {
            let mut query = ListQuery { status, limit, ..ListQuery::default() };
            let mut seen: Vec<Incident> = Vec::new();
            for _ in 0..30 {
                let page = store.list(&query).await.expect("incidents can be listed");
                assert!(page.incidents.len() <= limit, "a page of {limit} is too long");
                seen.extend(page.incidents);
                query.cursor = page.cursor;
                if query.cursor.is_none() {
                    break;
                }
            }
            assert_eq!(query.cursor, None, "pages of {limit} do not end");
            assert_eq!(seen.iter().collect::<Vec<_>>(), expected, "pages of {limit}, {status:?}");
        }
    }
}

pub(super) async fn moves_with_status(store: Arc<dyn Store>) {
    let store = &*store;
    let with = |status| ListQuery { status: Some(status), limit: 10, ..ListQuery::default() };
    let incident = open(store, "checkout", 1).await;
    listed(store, &with(Status::Open), &[&incident]).await;
    let resolved = Event::Resolved { reason: "over".to_owned() };
    let append = next(&incident, vec![resolved], at(2));
    written(store, &append).await;
    listed(store, &with(Status::Open), &[]).await;
    listed(store, &with(Status::Resolved), &[&append.incident]).await;
    listed(store, &ListQuery { limit: 10, ..ListQuery::default() }, &[&append.incident]).await;
}

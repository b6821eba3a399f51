//! The store keeps its promises on two emulators of DynamoDB.

use std::sync::Arc;

use firebreak_aws::store::DynamoStore;
use firebreak_core::ids::IncidentId;
use firebreak_engine::contracts::{examples, store_contract};
use firebreak_engine::ports::{
    AppendError, Counters as _, IncidentStore as _, ListQuery, Settings as _, Store, StoreError,
};

use crate::emulator;

const EMULATORS: [&str; 2] = ["FIREBREAK_TEST_MINISTACK", "FIREBREAK_TEST_DYNAMODB_LOCAL"];

async fn check(variable: &str) {
    let Some(config) = emulator::config(variable).await else { return };
    let make = || async { Arc::new(emulator::store(&config).await) as Arc<dyn Store> };
    store_contract(make).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_holds_on_ministack() {
    check(EMULATORS[0]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_holds_on_dynamodb_local() {
    check(EMULATORS[1]).await;
}

#[tokio::test]
async fn a_missing_table_is_unavailable_and_not_empty() {
    for variable in EMULATORS {
        let Some(config) = emulator::config(variable).await else { continue };
        let store = DynamoStore::new(&config, "no-such-table");
        let id = IncidentId::try_from("inc_0".to_owned()).unwrap();
        assert!(matches!(store.load(&id).await, Err(StoreError::Unavailable(_))));
        assert!(matches!(store.kill_switch().await, Err(StoreError::Unavailable(_))));
        assert!(matches!(store.counts().await, Err(StoreError::Unavailable(_))));
        let opening = examples::opening(&examples::firing("slow-api", "i-1"), examples::at(0));
        let refused = store.append(&opening).await;
        assert!(matches!(refused, Err(AppendError::Store(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn an_append_that_is_too_large_is_refused_for_good() {
    for variable in EMULATORS {
        let Some(config) = emulator::config(variable).await else { continue };
        let store = emulator::store(&config).await;
        let mut draft = examples::draft("large", "i-1");
        draft.annotations.insert("log".to_owned(), "x".repeat(410_000));
        let opening = examples::opening(&draft.seal(), examples::at(0));
        let refused = store.append(&opening).await;
        assert!(
            matches!(refused, Err(AppendError::Store(StoreError::Corrupt(_)))),
            "{variable}: {refused:?}"
        );
        assert_eq!(store.load(&opening.incident.id).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_filter_looks_past_many_others() {
    for variable in EMULATORS {
        let Some(config) = emulator::config(variable).await else { continue };
        let store = emulator::store(&config).await;
        let mut rare = examples::draft("rare", "i-1");
        rare.service = Some("rare".to_owned());
        let rare = examples::opening(&rare.seal(), examples::at(0));
        store.append(&rare).await.unwrap();
        for n in 1..=210 {
            let alert = examples::firing(&format!("rule-{n}"), "i-1");
            store.append(&examples::opening(&alert, examples::at(n))).await.unwrap();
        }
        let service = Some("rare".to_owned());
        let query = ListQuery { service, limit: 5, ..ListQuery::default() };
        let page = store.list(&query).await.unwrap();
        assert_eq!(page.incidents, [rare.incident], "{variable}");
        let forged = ListQuery { cursor: Some("%%".to_owned()), limit: 5, ..ListQuery::default() };
        assert!(store.list(&forged).await.is_err());
    }
}

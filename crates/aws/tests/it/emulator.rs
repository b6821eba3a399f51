//! The emulators that these tests run against, and a fresh table of the deployed shape on each.

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use firebreak_aws::lambda::environment;
use firebreak_aws::{client, store::DynamoStore};
use firebreak_engine::ids::sortable;
use jiff::Timestamp;
use serde_json::Value;

/// Client settings for the emulator behind the variable. Without it the test is skipped, and in CI it fails.
pub(crate) async fn config(variable: &str) -> Option<SdkConfig> {
    let Some(endpoint) = environment(variable) else {
        assert!(
            environment("CI").is_none(),
            "{variable} is not set: run under tools/with_servers.sh"
        );
        println!("SKIPPED: {variable} is not set");
        return None;
    };
    Some(client::loader().endpoint_url(endpoint).load().await)
}

/// A store on a table of its own, made from the file that Terraform deploys from.
pub(crate) async fn store(config: &SdkConfig) -> DynamoStore {
    let shape = include_str!("../../../../terraform/wiring/table.json");
    let shape: Value = serde_json::from_str(shape).unwrap();
    let name = format!("incidents-{}", sortable(Timestamp::now()));
    let attributes = list(&shape["AttributeDefinitions"]).map(|attribute| {
        AttributeDefinition::builder()
            .attribute_name(text(&attribute["AttributeName"]))
            .attribute_type(ScalarAttributeType::from(text(&attribute["AttributeType"])))
            .build()
            .unwrap()
    });
    let indexes = list(&shape["GlobalSecondaryIndexes"]).map(|index| {
        let all = text(&index["Projection"]["ProjectionType"]);
        GlobalSecondaryIndex::builder()
            .index_name(text(&index["IndexName"]))
            .set_key_schema(Some(keys(&index["KeySchema"])))
            .projection(Projection::builder().projection_type(ProjectionType::from(all)).build())
            .build()
            .unwrap()
    });
    Client::new(config)
        .create_table()
        .table_name(&name)
        .billing_mode(BillingMode::from(text(&shape["BillingMode"])))
        .set_attribute_definitions(Some(attributes.collect()))
        .set_key_schema(Some(keys(&shape["KeySchema"])))
        .set_global_secondary_indexes(Some(indexes.collect()))
        .send()
        .await
        .unwrap();
    DynamoStore::new(config, name)
}

fn keys(schema: &Value) -> Vec<KeySchemaElement> {
    list(schema)
        .map(|key| {
            KeySchemaElement::builder()
                .attribute_name(text(&key["AttributeName"]))
                .key_type(KeyType::from(text(&key["KeyType"])))
                .build()
                .unwrap()
        })
        .collect()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().unwrap().iter()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

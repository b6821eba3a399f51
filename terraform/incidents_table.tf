# The incident table. Its shape is wiring/table.json, the same file that the code's tests create their table from.
locals {
  table = jsondecode(file("${local.wiring}/table.json"))

  table_keys = {
    for index in concat([{ IndexName = "", KeySchema = local.table.KeySchema }], local.table.GlobalSecondaryIndexes) :
    index.IndexName => { for key in index.KeySchema : key.KeyType => key.AttributeName }
  }
}

resource "aws_dynamodb_table" "incidents" {
  name                        = "${local.prefix}-incidents"
  billing_mode                = local.table.BillingMode
  hash_key                    = local.table_keys[""].HASH
  range_key                   = local.table_keys[""].RANGE
  stream_enabled              = local.table.StreamSpecification.StreamEnabled
  stream_view_type            = local.table.StreamSpecification.StreamViewType
  deletion_protection_enabled = var.deletion_protection

  dynamic "attribute" {
    for_each = local.table.AttributeDefinitions

    content {
      name = attribute.value.AttributeName
      type = attribute.value.AttributeType
    }
  }

  dynamic "global_secondary_index" {
    for_each = local.table.GlobalSecondaryIndexes

    content {
      name            = global_secondary_index.value.IndexName
      hash_key        = local.table_keys[global_secondary_index.value.IndexName].HASH
      range_key       = local.table_keys[global_secondary_index.value.IndexName].RANGE
      projection_type = global_secondary_index.value.Projection.ProjectionType
    }
  }

  point_in_time_recovery {
    enabled = true
  }

  # The key managed by DynamoDB for this account: readers of the table need no key policy of their own.
  server_side_encryption {
    enabled = true
  }

  ttl {
    attribute_name = local.table.TimeToLiveSpecification.AttributeName
    enabled        = local.table.TimeToLiveSpecification.Enabled
  }
}

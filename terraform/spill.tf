# Where deliveries wait that alert_ingest could not store, and how they come back to it. Shape: wiring/spill.json.
locals {
  spill = jsondecode(file("${local.wiring}/spill.json"))
}

resource "aws_sqs_queue" "spill" {
  name                        = "${local.prefix}-spill.fifo"
  fifo_queue                  = true
  content_based_deduplication = tobool(local.spill.queue.ContentBasedDeduplication)
  deduplication_scope         = local.spill.queue.DeduplicationScope
  fifo_throughput_limit       = local.spill.queue.FifoThroughputLimit
  max_message_size            = tonumber(local.spill.queue.MaximumMessageSize)
  message_retention_seconds   = tonumber(local.spill.queue.MessageRetentionPeriod)
  visibility_timeout_seconds  = tonumber(local.spill.queue.VisibilityTimeout)
  sqs_managed_sse_enabled     = true

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.spill_dead_letters.arn
    maxReceiveCount     = local.spill.max_receive_count
  })
}

# The dead letters of a FIFO queue are a FIFO queue too.
resource "aws_sqs_queue" "spill_dead_letters" {
  name                      = "${local.prefix}-spill-dead-letters.fifo"
  fifo_queue                = true
  message_retention_seconds = 1209600
  max_message_size          = tonumber(local.spill.queue.MaximumMessageSize)
  sqs_managed_sse_enabled   = true
}

resource "aws_lambda_event_source_mapping" "spill" {
  event_source_arn        = aws_sqs_queue.spill.arn
  function_name           = module.function["alert_ingest"].alias_arn
  batch_size              = local.spill.mapping.BatchSize
  function_response_types = local.spill.mapping.FunctionResponseTypes

  # A store that has just come back is not hit by everything at once.
  scaling_config {
    maximum_concurrency = 5
  }
}

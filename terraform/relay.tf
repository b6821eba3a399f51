# The outbox: new event items of the table go to event_relay, which puts them on the bus.
resource "aws_lambda_event_source_mapping" "relay" {
  event_source_arn                   = aws_dynamodb_table.incidents.stream_arn
  function_name                      = module.function["event_relay"].alias_arn
  starting_position                  = "TRIM_HORIZON"
  batch_size                         = var.relay_batch_size
  maximum_batching_window_in_seconds = 0
  parallelization_factor             = 4
  function_response_types            = ["ReportBatchItemFailures"]
  bisect_batch_on_function_error     = true
  maximum_retry_attempts             = 50
  maximum_record_age_in_seconds      = 21600

  filter_criteria {
    filter {
      pattern = jsonencode(jsondecode(file("${local.wiring}/stream_filter.json")))
    }
  }

  destination_config {
    on_failure {
      destination_arn = aws_sqs_queue.dead_letters["relay"].arn
    }
  }
}

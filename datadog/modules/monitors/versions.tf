# The oldest versions that this module works with; the root module pins.
terraform {
  required_version = ">= 1.11.0, < 2.0.0"

  required_providers {
    datadog = {
      source  = "DataDog/datadog"
      version = ">= 4.19, < 5.0"
    }
  }
}

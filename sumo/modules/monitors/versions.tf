# The oldest versions that this module works with; the root module pins.
terraform {
  required_version = ">= 1.11.0, < 2.0.0"

  required_providers {
    sumologic = {
      source  = "SumoLogic/sumologic"
      version = ">= 3.2, < 4.0"
    }
  }
}

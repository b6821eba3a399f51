# Versions and the provider of this root module. The provider reads SUMOLOGIC_ACCESSID and SUMOLOGIC_ACCESSKEY.
terraform {
  required_version = ">= 1.11.0, < 2.0.0"

  required_providers {
    sumologic = {
      source  = "SumoLogic/sumologic"
      version = "~> 3.2"
    }
  }
}

provider "sumologic" {
  environment = var.sumo_deployment
}

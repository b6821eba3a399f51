# Versions and the provider of this root module. The provider reads DD_API_KEY and DD_APP_KEY.
terraform {
  required_version = ">= 1.11.0, < 2.0.0"

  required_providers {
    datadog = {
      source  = "DataDog/datadog"
      version = "~> 4.19"
    }
  }
}

provider "datadog" {
  api_url = "https://api.${var.datadog_site}/"
}

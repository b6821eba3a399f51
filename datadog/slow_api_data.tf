# The monitor that ships: the same fault that the Sumo Logic side looks for. @duration is in nanoseconds.
locals {
  shipped_monitors = {
    slow-api-data = {
      type     = "log alert"
      query    = "logs(\"@http.url_details.path:\\\"/api/data\\\" @duration:>3000000000\").index(\"*\").rollup(\"count\").by(\"service,env,instance_id\").last(\"10m\") > 5"
      message  = "More than 5 responses of /api/data in 10 minutes took longer than 3 seconds on {{instance_id.name}}."
      priority = 1
      critical = 5
      tags     = ["managed-by:firebreak"]
    }
  }
}

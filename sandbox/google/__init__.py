"""An imitation of Google Cloud, served to the Pulumi engine as the resource provider `gcp`."""

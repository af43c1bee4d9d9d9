"""Examples for those who connect an app. Nothing here is part of the pipeline or of the read service."""

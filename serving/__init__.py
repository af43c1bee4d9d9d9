"""The API: reads what was published and answers the app. Nothing here learns, and nothing here writes."""

"""The backend of the example app: what an app writes into schema `app`, and a sign-in by choosing a person."""

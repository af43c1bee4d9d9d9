-- What is the app's own: nothing of matching reads it. A row goes with the message, conversation or user that it is about.
CREATE SCHEMA IF NOT EXISTS example_app;

CREATE TABLE IF NOT EXISTS example_app.words (
    message_id uuid PRIMARY KEY REFERENCES app.messages ON DELETE CASCADE,
    body text NOT NULL
);

CREATE TABLE IF NOT EXISTS example_app.consents (
    conversation_id uuid REFERENCES app.conversations ON DELETE CASCADE,
    person_id uuid REFERENCES app.profiles ON DELETE CASCADE,
    given_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (conversation_id, person_id)
);

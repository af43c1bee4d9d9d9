"""What words say: questions, plans, contact details, language, and flags. Words are read, counted and dropped."""

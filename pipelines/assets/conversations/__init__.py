"""What follows a match: conversations that keep the contract, their facts in numbers, and their outcomes."""

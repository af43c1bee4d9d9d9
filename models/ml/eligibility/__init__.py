"""The two-way eligibility rule, the candidate pools it leaves, its violations, and supply and demand."""

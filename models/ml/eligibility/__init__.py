"""The two-way eligibility rules, how many candidates they leave, and where listed pairs break them."""

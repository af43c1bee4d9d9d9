"""The simulated population: profiles, texts, exposure, choices, and the truth behind them."""

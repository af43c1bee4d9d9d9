"""The arms of simulated nights: the product, its rivals, and the choice of them."""

"""Asset checks: what a run made is tested before it is published."""

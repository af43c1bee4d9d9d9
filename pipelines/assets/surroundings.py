"""What the pipeline reads and who reads what it publishes: shown in Dagster's graph, materialized elsewhere."""

import dagster as dg

GROUP = "surroundings"


def _describe_table(name: str, what: str) -> dg.AssetSpec:
    return dg.AssetSpec(["app", name], group_name=GROUP, kinds={"postgres"}, description=f"{what} The app writes it.")


APP_PROFILES = _describe_table("profiles", "The table `app.profiles`: what users wrote and set.")
APP_INTERACTIONS = _describe_table("interactions", "The table `app.interactions`: likes and passes.")
APP_BLOCKS = _describe_table("blocks", "The table `app.blocks`: who must not see whom.")
APP_VIEWS = _describe_table("views", "The table `app.views`: which cards were on screen.")
API = dg.AssetSpec(
    "api",
    deps=["publication", "profile_embeddings"],
    group_name=GROUP,
    kinds={"fastapi"},
    description="The read service. It returns the lists of the live publication, and similar users by their vectors.",
)
NOTEBOOKS = dg.AssetSpec(
    "notebooks",
    deps=["match_lists", "scored_candidates", "training_pairs", "ranker"],
    group_name=GROUP,
    kinds={"jupyter"},
    description="The analysts' notebooks. They read the frames of the last run.",
)
SURROUNDINGS = [APP_PROFILES, APP_INTERACTIONS, APP_BLOCKS, APP_VIEWS, API, NOTEBOOKS]

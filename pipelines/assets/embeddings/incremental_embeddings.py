"""Vectors for users who joined or changed answers since the last run, so that the API finds similar users."""

import dagster as dg
from sqlalchemy import Connection
from upath import UPath

from models.db.publications import get_live_publication
from models.db.rows.embedding_rows import add_embeddings, find_pending, remove_embeddings, summarise_pending
from models.ml.profiles.encoders.opening import EncoderChoice, find_choice, open_encoder
from models.ml.profiles.frame_contracts import check_profiles
from pipelines.assets.extract import read_profiles
from pipelines.resources import DatabaseResource, EncoderResource, ShardStore
from pipelines.store.answer_shards import build_embedding_rows, encode_shard, load_answers, plan_encoding
from pipelines.store.run_lock import try_run_lock
from pipelines.store.shards import build_manifest
from pipelines.store.store_erasure import purge_deleted_profiles

INCREMENTAL_JOB = "incremental_embeddings"
SECONDS_BETWEEN = 60
# A file can disappear while a run removes outdated shards or an erasure renames one. Both are done a minute later.
RETRIES, SECONDS_TO_WAIT = 2, 60


@dg.op
def embed_pending_profiles(
    context: dg.OpExecutionContext, database: DatabaseResource, store: ShardStore, encoder: EncoderResource
) -> None:
    """Encode answers that changed since their vector was stored; profiles that break the contract get none.

    The encoder is that of the live publication, whose vectors the API reads, until a run has published with another.
    """
    with database.open_engine() as engine, engine.connect() as connection:
        choice = _find_live_choice(connection, encoder.choice)
        opened = open_encoder(choice)
        known = find_pending(connection, opened.name)
        accepted, rejected = check_profiles(read_profiles(connection, list(known)))
    hashes = accepted["texts"].map(opened.hash_content)
    profiles = accepted[hashes != accepted["profile_id"].map(known)]
    unchanged = accepted.assign(hash=hashes).drop(index=profiles.index)[["profile_id", "hash"]]
    folder = store.get_shard_folder("profile_embeddings")
    # In the folder of the last run, so that the next run finds these answers encoded.
    shards = [shard for shard in plan_encoding(profiles, folder, choice) if len(shard.answers)]
    try:
        encoded = sum(map(encode_shard, shards))
        rows = build_embedding_rows(profiles, load_answers(build_manifest(shards)), opened)
        confirmed = [(each, content, None) for each, content in unchanged.itertuples(index=False)]
    except FileNotFoundError as error:
        raise dg.RetryRequested(RETRIES, SECONDS_TO_WAIT) from error
    with database.open_engine() as engine:
        read_at = accepted["extracted_at"].iloc[0] if len(accepted) else None
        stored = add_embeddings(engine, opened.name, [*rows, *confirmed], read_at) if read_at else 0
        stale = sorted({each for each in profiles["profile_id"] if known[each]} - {row[0] for row in rows})
        if read_at and stale:
            remove_embeddings(engine, opened.name, stale, read_at)
        with try_run_lock(engine) as free:
            if free:  # otherwise the current run does it when it ends
                written = (UPath(shard.output) for shard in shards)
                purge_deleted_profiles(engine, UPath(store.base), [path for path in written if path.exists()])
    counts = {"answers_encoded": encoded, "vectors_stored": stored, "left_to_the_night": len(rejected)}
    context.log.info(", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items()))
    context.log_event(dg.AssetObservation("profile_embeddings", metadata=counts))


def _find_live_choice(connection: Connection, choice: EncoderChoice) -> EncoderChoice:
    """Return the encoder of the live publication, or that of the settings if there is none."""
    live = get_live_publication(connection)
    return choice if live is None else find_choice(live.encoder, choice)


@dg.job(
    name=INCREMENTAL_JOB,
    executor_def=dg.in_process_executor,
    description="Vectors for users who joined or changed answers since the last run, for the API's similar users.",
)
def incremental_embeddings() -> None:
    """Run the only step."""
    embed_pending_profiles()


@dg.sensor(
    job_name=INCREMENTAL_JOB,  # by its name: Dagster warns of its own copy of a sensor that holds a job
    minimum_interval_seconds=SECONDS_BETWEEN,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Queries the database every minute for users who joined or changed answers, and starts the job "
    "incremental_embeddings for them.",
)
def new_profile_sensor(
    context: dg.SensorEvaluationContext, database: DatabaseResource
) -> dg.RunRequest | dg.SkipReason:
    """Request a run whenever the pending profiles differ from those of the last request.

    The cursor is a hash of the pending profiles, not a time. A profile that breaks the frame contract gets no vector,
    stays pending, and does not trigger the job again.
    """
    with database.open_engine() as engine, engine.connect() as connection:
        live = get_live_publication(connection)
        if live is None:
            return dg.SkipReason("nothing is published yet: the first `matching run` gives everybody a vector")
        found = summarise_pending(connection, live.encoder)
    if found is None:
        return dg.SkipReason("nobody joined or wrote anything since")
    if found.digest == context.cursor:
        return dg.SkipReason(f"nobody else joined or wrote anything since; {found.people:,} are left to the night")
    context.update_cursor(found.digest)
    return dg.RunRequest(tags={"people": str(found.people)})

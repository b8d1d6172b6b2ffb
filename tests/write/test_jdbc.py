from __future__ import annotations

import logging
import threading
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T

from forceglue.errors import DeliveryError, UsageError
from forceglue.write import postgres_merge, postgres_staging
from forceglue.write.jdbc import ResolvedConnection, write_jdbc
from forceglue.write.postgres_table import STAGING

if TYPE_CHECKING:
    from tests.write.conftest import Postgres

Rows = list[tuple[Any, ...]]


@pytest.fixture
def schema() -> str:
    """A schema of its own for each test, not made yet."""
    return f"Dw {uuid.uuid4().hex[:8]}"


@pytest.fixture(autouse=True)
def no_staging_left(postgres: Postgres) -> Any:
    yield
    assert postgres.rows(f"SELECT tablename FROM pg_tables WHERE starts_with(tablename, '{STAGING}')") == []


def frame(spark: SparkSession, ddl: str, rows: Rows) -> DataFrame:
    return spark.createDataFrame(rows, ddl)


def table(postgres: Postgres, schema: str, name: str = "t", order: str = "1") -> Rows:
    return postgres.rows(f'SELECT * FROM "{schema}"."{name}" ORDER BY {order}')


def test_a_missing_table_is_made_with_types_key_and_comments(
    spark: SparkSession, postgres: Postgres, schema: str
) -> None:
    moment = datetime(2024, 3, 31, 2, 30, 0, 123456, UTC)
    kinds: dict[str, tuple[T.DataType, Any, str]] = {
        "Id": (T.StringType(), "001", "text"),
        "yes": (T.BooleanType(), True, "boolean"),
        "tiny": (T.ByteType(), -1, "smallint"),
        "int": (T.IntegerType(), 7, "integer"),
        "big": (T.LongType(), 2**62, "bigint"),
        "double": (T.DoubleType(), 0.1, "double precision"),
        "dec": (T.DecimalType(38, 18), Decimal("0.000000150000000001"), "numeric(38,18)"),
        "day": (T.DateType(), date(1582, 10, 10), "date"),
        "at": (T.TimestampType(), moment, "timestamp with time zone"),
        "local": (T.TimestampNTZType(), datetime(1900, 1, 1, 1, 1, 1), "timestamp without time zone"),
        "bytes": (T.BinaryType(), b"\0\\\xff", "bytea"),
        "nested": (T.ArrayType(T.StringType()), ['a"', "b,"], "jsonb"),
    }
    df = spark.createDataFrame(
        [tuple(v for _, v, _ in kinds.values()), ("002", *[None] * (len(kinds) - 1))],
        T.StructType([T.StructField(name, kind) for name, (kind, _, _) in kinds.items()]),
    )
    spark.conf.set("spark.sql.session.timeZone", "Europe/Berlin")
    try:
        done = write_jdbc(df, postgres.connection, f"{schema}.t", key=["Id"], comments={"dec": "it's 1"})
    finally:
        spark.conf.set("spark.sql.session.timeZone", "UTC")
    assert (done.table, done.rows, done.inserted, done.updated, done.deleted, done.created) == (
        f"{schema}.t",
        2,
        2,
        0,
        0,
        True,
    )
    with postgres.open() as connection:
        connection.execute("SET timezone TO 'Asia/Tokyo'")
        first, second = connection.execute(f'SELECT * FROM "{schema}".t ORDER BY 1').fetchall()
    assert dict(zip(kinds, first, strict=True)) == {name: value for name, (_, value, _) in kinds.items()}
    assert second == ("002", *[None] * (len(kinds) - 1))
    types = postgres.rows(
        f"SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = '\"{schema}\".t'::regclass AND attnum > 0"
    )
    assert dict(types) == {name: wanted for name, (_, _, wanted) in kinds.items()}
    assert postgres.rows(f"SELECT col_description('\"{schema}\".t'::regclass, 7)") == [("it's 1",)]
    with pytest.raises(psycopg.errors.UniqueViolation):
        postgres.run(f'INSERT INTO "{schema}".t ("Id") VALUES (\'001\')')


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    st.lists(
        st.tuples(*[st.none() | st.text(st.sampled_from([*'a \t\r\n",;\'\\.N|{}', "é", "😀", "\ufeff"]), max_size=6)] * 3),
        min_size=1, max_size=80,
    )
)  # fmt: skip
def test_any_text_arrives_and_null_is_not_empty(spark: SparkSession, postgres: Postgres, rows: Rows) -> None:
    rows = [*rows, ("\\.", "\\.", "\\."), ("x\n\\.\ny", "\\N", ""), ("x" * 100_000, None, " ")]
    schema = f"text {uuid.uuid4().hex[:8]}"
    write_jdbc(frame(spark, "a string, b string, c string", rows), postgres.connection, f"{schema}.t", "append")
    assert sorted(table(postgres, schema), key=str) == sorted(rows, key=str)


def test_only_column_of_dots(spark: SparkSession, postgres: Postgres, schema: str) -> None:
    rows: Rows = [("\\.",), ("a",), (None,), ("",), ("\\.\n",)]
    write_jdbc(frame(spark, "a string", rows), postgres.connection, f"{schema}.t", "append")
    assert sorted(table(postgres, schema), key=str) == sorted(rows, key=str)


def test_upsert_inserts_updates_and_leaves_equal_rows_and_foreign_columns_alone(
    spark: SparkSession, postgres: Postgres, schema: str
) -> None:
    ddl, name = "k1 string, `k 2` int, v string", f"{schema}.t"
    key = ["k1", "k 2"]
    write_jdbc(
        frame(spark, ddl, [("a", 1, "x"), ("a", 2, None), ("b", 1, "z")]), postgres.connection, name, "upsert", key
    )
    postgres.run(f'ALTER TABLE "{schema}".t ADD COLUMN theirs text', f"UPDATE \"{schema}\".t SET theirs = 'kept'")
    before = dict(postgres.rows(f'SELECT k1 || "k 2", xmin::text FROM "{schema}".t'))
    done = write_jdbc(
        frame(spark, ddl, [("a", 1, "x"), ("a", 2, "new"), ("b", 1, None), ("c", 1, "c")]),
        postgres.connection,
        name,
        "upsert",
        key,
    )
    assert (done.rows, done.inserted, done.updated, done.deleted, done.created) == (4, 1, 2, 0, False)
    assert table(postgres, schema, order="1, 2") == [
        ("a", 1, "x", "kept"), ("a", 2, "new", "kept"), ("b", 1, None, "kept"), ("c", 1, "c", None),
    ]  # fmt: skip
    assert dict(postgres.rows(f'SELECT k1 || "k 2", xmin::text FROM "{schema}".t'))["a1"] == before["a1"]


@pytest.mark.parametrize(
    "index",
    [
        "",  # none
        "CREATE INDEX ON {} (k)",
        "CREATE UNIQUE INDEX ON {} (k) WHERE v IS NOT NULL",
        "CREATE UNIQUE INDEX ON {} (lower(k))",
        "CREATE UNIQUE INDEX ON {} (k, v)",
        "ALTER TABLE {} ADD UNIQUE (k) DEFERRABLE",
        "CREATE UNIQUE INDEX ON {} (k) INCLUDE (v)",
        "ALTER TABLE {} ADD PRIMARY KEY (k)",
    ],
)
def test_upsert_into_a_table_with_any_index(spark: SparkSession, postgres: Postgres, schema: str, index: str) -> None:
    postgres.run(
        f'CREATE SCHEMA "{schema}"', f'CREATE TABLE "{schema}".t (k text, v text, theirs json)', index.format(f'"{schema}".t'),
        f"INSERT INTO \"{schema}\".t VALUES ('a', '1', '{{}}'), ('b', '2', '{{}}')",
    )  # fmt: skip
    done = write_jdbc(
        frame(spark, "k string, v string", [("b", "3"), ("c", "4")]),
        postgres.connection,
        f"{schema}.t",
        "upsert",
        ["k"],
    )
    assert (done.inserted, done.updated) == (1, 1)
    assert table(postgres, schema) == [("a", "1", {}), ("b", "3", {}), ("c", "4", None)]


def test_upsert_of_key_columns_alone_and_of_types_without_equality(
    spark: SparkSession, postgres: Postgres, schema: str
) -> None:
    for _ in range(2):
        write_jdbc(frame(spark, "k string", [("a",), ("b",)]), postgres.connection, f"{schema}.keys", "upsert", ["k"])
    assert table(postgres, schema, "keys") == [("a",), ("b",)]
    postgres.run(
        f'CREATE TABLE "{schema}".j (k text PRIMARY KEY, v point)', f"INSERT INTO \"{schema}\".j VALUES ('a', '(1,1)')"
    )
    with pytest.raises(DeliveryError, match="is of type point"):
        write_jdbc(
            frame(spark, "k string, v string", [("a", "x")]), postgres.connection, f"{schema}.j", "upsert", ["k"]
        )
    write_jdbc(frame(spark, "k string", [("a",), ("b",)]), postgres.connection, f"{schema}.j", "upsert", ["k"])
    assert postgres.rows(f'SELECT k FROM "{schema}".j ORDER BY 1') == [("a",), ("b",)]


def test_append_and_replace(spark: SparkSession, postgres: Postgres, schema: str) -> None:
    df = frame(spark, "k string", [("a",), ("a",), (None,)])
    for _ in range(2):
        done = write_jdbc(df, postgres.connection, f"{schema}.t", "append")
    assert (done.inserted, len(table(postgres, schema))) == (3, 6)
    done = write_jdbc(frame(spark, "k string", [("b",)]), postgres.connection, f"{schema}.t", "replace")
    assert (done.inserted, done.deleted, table(postgres, schema)) == (1, 6, [("b",)])
    done = write_jdbc(frame(spark, "k string", []), postgres.connection, f"{schema}.t", "replace")
    assert (done.inserted, done.deleted, table(postgres, schema)) == (0, 1, [])


def test_no_rows_make_the_table_and_change_nothing(spark: SparkSession, postgres: Postgres, schema: str) -> None:
    empty = frame(spark, "k string, v int", [])
    assert write_jdbc(empty, postgres.connection, f"{schema}.t", "upsert", ["k"]).created
    write_jdbc(frame(spark, "k string, v int", [("a", 1)]), postgres.connection, f"{schema}.t", "upsert", ["k"])
    done = write_jdbc(empty, postgres.connection, f"{schema}.t", "upsert", ["k"])
    assert (done.rows, done.inserted, done.updated, table(postgres, schema)) == (0, 0, 0, [("a", 1)])


def test_a_new_column_is_added_and_one_that_is_gone_stays(spark: SparkSession, postgres: Postgres, schema: str) -> None:
    write_jdbc(
        frame(spark, "k string, old string", [("a", "x"), ("b", "y")]),
        postgres.connection,
        f"{schema}.t",
        "upsert",
        ["k"],
    )
    df = frame(spark, 'k string, `New "one"` decimal(9,2)', [("b", Decimal("1.50"))])
    done = write_jdbc(df, postgres.connection, f"{schema}.t", "upsert", ["k"], comments={'New "one"': "said"})
    assert done.added == ('New "one"',) and not done.created
    assert table(postgres, schema) == [("a", "x", None), ("b", "y", Decimal("1.50"))]
    assert postgres.rows(f"SELECT col_description('\"{schema}\".t'::regclass, 3)") == [("said",)]


def test_names_are_names_and_never_sql(spark: SparkSession, postgres: Postgres, schema: str) -> None:
    rows = [("a", 1, "x", "%s", 5)]
    df = spark.createDataFrame(rows, ["ID", 'a"; DROP TABLE t; --', "%s", "{}", "select"])
    name = f'"{schema}"."My.Table ""x"""'
    for _ in range(2):
        write_jdbc(df, postgres.connection, name, "upsert", ["ID", "%s"], comments={"%s": "100% {}"})
    found = postgres.rows(f'SELECT * FROM "{schema}"."My.Table ""x"""')
    assert found == rows


@pytest.mark.parametrize(
    ("ddl", "rows", "told"),
    [
        ("k string, n int, v string", [("a", 1, "secret value"), ("a", 1, "2"), ("a", 2, "3"), ("b", 1, "4"), ("b", 1, "5"), ("b", 1, "6")], r"2 values of the key \(k, n\) are there more than once, in 5 rows"),
        ("k string, n int, v string", [("a", None, "secret value"), ("b", 1, "x")], "key column 'n' is null in 1 rows"),
    ],
)  # fmt: skip
def test_doubled_and_null_keys_are_refused_and_nothing_changes(
    spark: SparkSession, postgres: Postgres, schema: str, ddl: str, rows: Rows, told: str
) -> None:
    write_jdbc(frame(spark, "k string, n int", [("a", 1)]), postgres.connection, f"{schema}.t", "upsert", ["k", "n"])
    with pytest.raises(DeliveryError, match=told) as error:
        write_jdbc(frame(spark, ddl, rows), postgres.connection, f"{schema}.t", "upsert", ["k", "n"])
    assert "secret value" not in str(error.value)
    assert table(postgres, schema) == [("a", 1)]


def test_a_value_or_type_that_does_not_fit_is_told_without_the_value(
    spark: SparkSession, postgres: Postgres, schema: str
) -> None:
    postgres.run(
        f'CREATE SCHEMA "{schema}"',
        f"CREATE TABLE \"{schema}\".t (k text, short varchar(3), n int, c text CHECK (c <> 'Jane'))",
    )
    for ddl, row, told in [
        ("k string, short string", ("a", "Jane Doe"), "value too long for type"),
        ("k string, n string", ("a", "Jane"), "is of type integer but expression is of type text"),
        ("k string, n bigint", ("a", 2**40), "integer out of range"),
        ("k string, c string", ("a", "Jane"), "violates check constraint"),
        ("k string, v string", ("a", "Jane\0"), "NUL"),
    ]:
        with pytest.raises(DeliveryError, match=told) as error:
            write_jdbc(frame(spark, ddl, [("z", None), row]), postgres.connection, f"{schema}.t", "replace")
        assert "Jane" not in str(error.value) and error.value.__cause__ is None
        assert error.value.target.startswith(f"{schema}.t")
    assert table(postgres, schema) == []


def test_a_load_that_fails_in_the_middle_changes_nothing(
    spark: SparkSession, postgres: Postgres, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    df = frame(spark, "k string", [("a",), ("b",)])
    write_jdbc(df, postgres.connection, f"{schema}.t", "upsert", ["k"])

    class Boom(Exception):
        pass

    def stop(*args: object) -> None:
        raise Boom

    for module, step in [
        (postgres_staging, "analyze"),
        (postgres_merge, "check_keys"),
        (postgres_merge, "_insert"),
        (postgres_merge, "_has_unique_index"),
    ]:
        with monkeypatch.context() as patched:
            patched.setattr(module, step, stop)
            with pytest.raises(Boom):
                write_jdbc(frame(spark, "k string", [("c",)]), postgres.connection, f"{schema}.t", "upsert", ["k"])
        assert table(postgres, schema) == [("a",), ("b",)]
    with pytest.raises(Exception, match="no nine"):  # a row that Spark cannot compute
        write_jdbc(
            spark.range(10).selectExpr("IF(id < 9, string(id), raise_error('no nine')) AS k"),
            postgres.connection,
            f"{schema}.t",
            "replace",
        )
    assert table(postgres, schema) == [("a",), ("b",)]


def test_a_lost_connection_leaves_no_staging_table(
    spark: SparkSession, postgres: Postgres, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(connection: psycopg.Connection, *args: object) -> None:
        postgres.run(f"SELECT pg_terminate_backend({connection.info.backend_pid})")
        connection.execute("SELECT 1")

    monkeypatch.setattr(postgres_staging, "analyze", cut)
    with pytest.raises(DeliveryError, match="terminating connection"):
        write_jdbc(frame(spark, "k string", [("a",)]), postgres.connection, f"{schema}.t", "upsert", ["k"])


def test_staging_tables_of_killed_runs_go_and_those_of_living_ones_stay(
    spark: SparkSession, postgres: Postgres, schema: str
) -> None:
    postgres.run(
        f'CREATE SCHEMA "{schema}"',
        f'CREATE TABLE "{schema}"."{STAGING}dead" (k text)',
        f'CREATE TABLE "{schema}"."{STAGING}alive" (k text)',
    )
    with postgres.open() as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"{STAGING}alive"])
        write_jdbc(frame(spark, "k string", [("a",)]), postgres.connection, f"{schema}.t", "append")
        assert postgres.rows(f"SELECT tablename FROM pg_tables WHERE schemaname = '{schema}' ORDER BY 1") == [
            (f"{STAGING}alive",),
            ("t",),
        ]
    write_jdbc(frame(spark, "k string", [("a",)]), postgres.connection, f"{schema}.t", "append")
    assert postgres.rows(f"SELECT tablename FROM pg_tables WHERE schemaname = '{schema}'") == [("t",)]


def test_a_task_that_spark_runs_twice_counts_once(
    spark: SparkSession, postgres: Postgres, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a retry leaves: the same rows, committed by an attempt whose answer Spark never took."""
    claimed = postgres_staging.create

    def with_leftovers(connection: psycopg.Connection, staging: Any, columns: Any) -> None:
        claimed(connection, staging, columns)
        connection.execute(f"INSERT INTO \"{staging.schema}\".\"{staging.name}\" VALUES (0, 'a'), (0, 'a')")

    monkeypatch.setattr(postgres_staging, "create", with_leftovers)
    done = write_jdbc(frame(spark, "k string", [("a",), ("b",)]), postgres.connection, f"{schema}.t", "upsert", ["k"])
    assert (done.rows, done.inserted, table(postgres, schema)) == (2, 2, [("a",), ("b",)])


@pytest.mark.parametrize("mode", ["replace", "upsert"])
def test_readers_never_see_half_a_load(spark: SparkSession, postgres: Postgres, schema: str, mode: Any) -> None:
    def load(version: int) -> None:
        df = spark.range(3000).selectExpr(
            "string(id) AS k", f"{version} AS v", *(["'more' AS extra"] if version == 3 else [])
        )
        write_jdbc(df, postgres.connection, f"{schema}.t", mode, ["k"])

    load(0)
    seen: set[tuple[Any, ...]] = set()
    loaded, waited = threading.Event(), []

    def read() -> None:
        with postgres.open() as connection:
            connection.execute("SET statement_timeout TO '20s'")
            for _ in range(200_000):
                last = loaded.is_set()  # asked before the read, so that what the last load wrote is seen
                try:
                    found = connection.execute(
                        f'SELECT count(*), min(v), max(v), count(DISTINCT k) FROM "{schema}".t'
                    ).fetchone()
                except psycopg.errors.QueryCanceled:
                    waited.append(True)
                    return
                seen.add(found or ())
                if last:
                    return

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for version in range(1, 5):
            load(version)
    finally:
        loaded.set()
        for reader in readers:
            reader.join()
    assert not waited
    assert seen <= {(3000, version, version, 3000) for version in range(5)}
    assert (3000, 4, 4, 3000) in seen and len(seen) > 1


def test_a_load_waits_for_no_reader_and_stops_none(spark: SparkSession, postgres: Postgres, schema: str) -> None:
    """A reader in an open transaction keeps its view, reads on during the load, and the load still ends."""
    df = frame(spark, "k string, v int", [("a", 1)])
    write_jdbc(df, postgres.connection, f"{schema}.t", "upsert", ["k"])
    for mode in ("replace", "upsert", "append"):
        with postgres.open() as reader, reader.transaction():
            reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            before = reader.execute(f'SELECT * FROM "{schema}".t').fetchall()
            write_jdbc(frame(spark, "k string, v int", [(mode, 2)]), postgres.connection, f"{schema}.t", mode, ["k"])
            assert reader.execute(f'SELECT * FROM "{schema}".t').fetchall() == before


def test_loads_at_the_same_time_take_turns(
    spark: SparkSession, postgres: Postgres, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    problems: list[BaseException] = []
    together, last_step = threading.Barrier(3, timeout=120), postgres_merge.load

    def at_once(*args: Any) -> Any:
        together.wait()
        return last_step(*args)

    monkeypatch.setattr(postgres_merge, "load", at_once)

    def load(version: int) -> None:
        try:
            df = spark.range(500).selectExpr("string(id) AS k", f"{version} AS v")
            write_jdbc(df, postgres.connection, f"{schema}.t", "replace")
        except BaseException as problem:  # noqa: BLE001  a thread has nobody else to tell
            problems.append(problem)

    threads = [threading.Thread(target=load, args=(version,)) for version in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert postgres.rows(f'SELECT count(*), count(DISTINCT v) FROM "{schema}".t') == [(500, 1)]


def test_without_the_right_to_create_a_schema_or_to_write(spark: SparkSession, postgres: Postgres, schema: str) -> None:
    user = f"weak {schema}"
    postgres.run(
        f"CREATE ROLE \"{user}\" LOGIN PASSWORD 'pw'",
        'CREATE SCHEMA IF NOT EXISTS "open"',
        f'CREATE TABLE "open"."{schema}" (k text)',
        f'GRANT CREATE, USAGE ON SCHEMA "open" TO "{user}"',
    )
    weak = ResolvedConnection(postgres.connection.url, user, SecretStr("pw"))
    df = frame(spark, "k string", [("a",)])
    with pytest.raises(DeliveryError, match=r"no schema .* may not create one"):
        write_jdbc(df, weak, f"{schema}.t", "append")
    with pytest.raises(DeliveryError, match=r"permission denied for table .*Grant this user"):
        write_jdbc(df, weak, f'open."{schema}"', "append")


def test_a_view_is_refused(spark: SparkSession, postgres: Postgres, schema: str) -> None:
    postgres.run(f'CREATE SCHEMA "{schema}"', f'CREATE VIEW "{schema}".t AS SELECT 1 AS k')
    with pytest.raises(DeliveryError, match="view"):
        write_jdbc(frame(spark, "k int", [(1,)]), postgres.connection, f"{schema}.t", "append")


PASSWORD = 'pa$$word\'; "never" \\shown 0815'


def test_the_password_shows_nowhere(
    spark: SparkSession,
    postgres: Postgres,
    schema: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    user = f"holder {schema}"
    with postgres.open() as connection:
        connection.execute(
            psycopg.sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                psycopg.sql.Identifier(user), psycopg.sql.Literal(PASSWORD)
            )
        )
        connection.execute(
            psycopg.sql.SQL("CREATE SCHEMA {} AUTHORIZATION {}").format(
                psycopg.sql.Identifier(schema), psycopg.sql.Identifier(user)
            )
        )
    right = ResolvedConnection(
        f"jdbc:postgresql://127.0.0.1:{postgres.port}/postgres?connect_timeout=10", user, SecretStr(PASSWORD)
    )
    wrong = ResolvedConnection(right.url, user, SecretStr(PASSWORD + "x"))
    nowhere = ResolvedConnection("postgresql://127.0.0.1:1/postgres", user, SecretStr(PASSWORD))
    plans: list[str] = []
    tracker = spark._jsparkSession.sharedState().statusStore()
    before = {execution.executionId() for execution in _executions(tracker)}
    caplog.set_level(logging.DEBUG)
    df = frame(spark, "k string", [("a",)])
    write_jdbc(df, right, f"{schema}.t", "append")
    for broken in (wrong, nowhere):
        with pytest.raises(DeliveryError) as error:
            write_jdbc(df, broken, f"{schema}.t", "append")
        plans.append(f"{error.value!s} {error.value!r} {error.getrepr(style='long', showlocals=False)}")
    with pytest.raises(DeliveryError) as error:
        write_jdbc(frame(spark, "k string", [("\0",)]), right, f"{schema}.t", "append")
    plans.append(str(error.getrepr(style="long")))
    for execution in _executions(tracker):
        if execution.executionId() not in before:
            plans += [execution.physicalPlanDescription(), execution.description()]
    out = capfd.readouterr()
    told = "\n".join([*plans, caplog.text, out.out, out.err, repr(right), str(right), repr(right.password)])
    assert "MapInArrow" in told  # the plans are really there
    assert PASSWORD not in told and "shown 0815" not in told


def _executions(tracker: Any) -> list[Any]:
    """What Spark remembers of the SQL that it ran."""
    found = tracker.executionsList()
    return [found.apply(i) for i in range(found.size())]


@pytest.mark.parametrize(
    "url",
    [
        "mysql://h/db",
        "h:5432/db",
        "postgresql://u:hush@h/db",
        "postgresql://h/db?password=hush",
        "jdbc:postgresql://h/db?user=u&PASSWORD=hush",
    ],
)
def test_a_url_that_cannot_work_or_holds_a_password_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(UsageError) as error:
        ResolvedConnection(url)
    assert "hush" not in str(error.value)


@pytest.mark.parametrize(
    ("ddl", "name", "mode", "key", "told"),
    [
        ("k string", "t", "merge", [], "not known"),
        ("k string", "t", "upsert", [], "needs a key"),
        ("k string", "t", "upsert", ["K"], "'K' is not among"),
        ("k string", "a.b.c", "append", [], "no table name"),
        ("k string", "", "append", [], "no table name"),
        ("k string", "x" * 64, "append", [], "63 bytes"),
        (f"`{'é' * 32}` string", "t", "append", [], "63 bytes"),
        ("k interval day", "t", "append", [], "'k' is of type interval day"),
        ("", "t", "append", [], "no columns"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_opened(
    spark: SparkSession, ddl: str, name: str, mode: Any, key: list[str], told: str
) -> None:
    schema = T._parse_datatype_string(ddl) if ddl else T.StructType([])
    df = spark.createDataFrame([], schema)
    with pytest.raises(UsageError, match=told):
        write_jdbc(df, ResolvedConnection("postgresql://127.0.0.1:1/none"), name, mode, key)

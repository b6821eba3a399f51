"""The peer's job in DuckDB: counts by target group and class, exact percentiles, top failing paths. usage: peer.py LOG"""

import json
import sys

import duckdb

FIELDS = 33
columns = "{" + ", ".join(f"'f{number}': 'VARCHAR'" for number in range(FIELDS)) + "}"
database = duckdb.connect()
database.execute("SET threads = 2")
# One pass over the file, as a person would write it who wants one answer quickly.
rows = database.execute(
    f"""
    SELECT f16, f8[1] || 'xx' AS class, count(*), quantile_cont(CASE WHEN f6 = '-1' THEN NULL ELSE CAST(f6 AS DOUBLE) END, 0.99)
    FROM read_csv(?, delim=' ', quote='"', escape='', header=false, auto_detect=false, columns={columns})
    GROUP BY ALL
    """,
    [sys.argv[1]],
).fetchall()
counts = {}
for group, kind, count, _ in rows:
    name = "(no target group)" if group == "-" else group.split("/")[1]
    counts[f"{name} {kind}"] = counts.get(f"{name} {kind}", 0) + count
json.dump(counts, sys.stdout)

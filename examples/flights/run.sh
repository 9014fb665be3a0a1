#!/bin/sh
# The story of README.md. Needs `mlops` on the PATH, or its path in $MLOPS; unzip and awk for the months.
set -eu
cd "$(dirname "$0")"
mlops=${MLOPS:-mlops}

$mlops run                                  # ingest, validate
$mlops status --why                         # nothing to do
$mlops log --datasets flights --profile
for month in 1 2 7; do
  unzip -p data/flights.csv.zip | awk -F, -v m=$month 'NR == 1 || $2 == m' > month-$month.csv
done
$mlops ingest month-1.csv --name months
$mlops ingest month-2.csv --name months --append
$mlops ingest month-7.csv --name july
$mlops diff months@v1 july --drift
$mlops fsck                                 # everything is as it should be

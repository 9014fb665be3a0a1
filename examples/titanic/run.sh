#!/bin/sh
# The whole example, from the raw file to an answered prediction. Needs `mlops` on the PATH, or its path in $MLOPS.
set -eu
cd "$(dirname "$0")"
mlops=${MLOPS:-mlops}

$mlops run                                  # ingest, validate, transform, train, evaluate, register
$mlops status --why                         # nothing to do
$mlops predict titanic@champion data/titanic.csv -o scored.csv
$mlops why titanic@champion                # from the model back to the raw file
$mlops fsck                                 # everything is as it should be

#!/bin/sh
# Writes a short note about the newest model. Runs as a stage, so what it logs belongs to that stage's run.
set -eu
rows=$(tail -n +2 data/titanic.csv | wc -l)
{
  echo "Titanic survival model"
  echo "rows seen: $rows"
} > card.txt
cat card.txt

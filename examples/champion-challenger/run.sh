#!/bin/sh
# The whole story, from the first champion to the way back. Needs `mlops` on the PATH, or its path in $MLOPS.
set -eu
cd "$(dirname "$0")"
mlops=${MLOPS:-mlops}
if [ -d .mlops ]; then
  echo "this story starts from nothing: rm -r .mlops" >&2
  exit 2
fi

# The first champion: a small tree. There is none to compare with yet, and the gates say so.
$mlops run

# A challenger that ranks better, and yet its probabilities are wrong. The gate says no: exit 1.
if MLOPS_TRAIN_MODEL=naive_bayes MLOPS_TRAIN_PARAMS='{}' $mlops run evaluate; then
  echo "a worse model passed" >&2
  exit 1
fi
grep -q 'log_loss' comment.md                 # what the pull request will read

# A better one: a new version, promoted.
MLOPS_TRAIN_MODEL=logistic MLOPS_TRAIN_PARAMS='{}' $mlops run
$mlops diff survival@v1 survival@v2           # better, or only luckier?
$mlops log --models survival

# And back, in an instant; then the move itself is taken back.
$mlops rollback survival --reason "complaints from the third class"
$mlops undo survival --reason "they were about the ship"
$mlops why survival@champion                  # from the model back to the raw file, with every move
$mlops reproduce survival@v2                  # trained again from what was recorded: the same bytes
$mlops card survival@v2 -o card.md
$mlops log --audit --verify

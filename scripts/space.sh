#!/usr/bin/env bash
# Prepares the folder to push to a Hugging Face Space: the committed files of the image, and nothing else.
#   scripts/space.sh [FOLDER]     default: build/space
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:-build/space}
[ ! -e "$folder" ] || [ -e "$folder/.molforge-space" ] || { echo "space: $folder exists and is not ours" >&2; exit 1; }
mkdir -p "$folder"
find "$folder" -mindepth 1 -maxdepth 1 ! -name .git -exec rm -rf {} +
git archive HEAD Dockerfile .dockerignore requirements-server.txt openenv.yaml README.md LICENSE LICENSE-DATA \
    molforge graders envs app server | tar -x -C "$folder"
touch "$folder/.molforge-space"
head -1 "$folder/README.md" | grep -q '^---$' || { echo 'space: README.md has no front matter' >&2; exit 1; }
for line in 'sdk: docker' 'app_port: 8000' 'base_path: /web'; do
    grep -q "^$line\$" "$folder/README.md" || { echo "space: the front matter lacks '$line'" >&2; exit 1; }
done
large=$(find "$folder" -path "$folder/.git" -prune -o -type f -size +10M -print)
[ -z "$large" ] || { echo "space: Spaces want Git LFS for files over 10 MB: $large" >&2; exit 1; }
echo "space: $(find "$folder" -path "$folder/.git" -prune -o -type f -print | wc -l) files, $(du -sh --exclude=.git "$folder" | cut -f1), in $folder"
echo "space: cd $folder && git init && git add -A && git commit -m MolForge && git push --force SPACE_URL HEAD:main"

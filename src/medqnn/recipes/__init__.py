"""The published systems as recipes, one YAML file each."""

module github.com/sightline-mesh/sightline/e2e/asked

go 1.26.7

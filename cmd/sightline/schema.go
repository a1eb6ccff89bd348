package main

import (
	"github.com/spf13/cobra"

	"github.com/sightline-mesh/sightline/internal/topology"
)

const schemaDoc = `Print the JSON Schema (2020-12) of the documents of a topology.

Editors use it to complete and check a topology. This line at the top of a file
names the schema of the latest version:

  # yaml-language-server: $schema=` + topology.SchemaURL + `

The line can also name a file, relative to the topology:

  sightline schema > topology.schema.json`

func newSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of a topology",
		Long:  schemaDoc,
		Example: `  sightline schema | less
  sightline schema > topology.schema.json
  sightline schema | grep '"const": "sightline.dev/'`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			schema, err := topology.Schema()
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(schema)
			return err
		},
	}
}

// Command schemagen writes the JSON Schema of specs to standard output. It is
// run by go generate in the package campaigns.
package main

import (
	"log"
	"os"
)

func main() {
	data, err := build()
	if err == nil {
		_, err = os.Stdout.Write(data)
	}
	if err != nil {
		log.Fatal(err)
	}
}

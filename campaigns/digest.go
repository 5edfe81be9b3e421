package campaigns

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// Digest is a hash of all that the campaign means: two campaigns that differ
// in more than the order and spelling of their YAML have different digests,
// and one that is stored as JSON and read back keeps its own.
func (c *Campaign) Digest() string {
	data, err := json.Marshal(c)
	if err != nil {
		// Only a year that JSON cannot write gets here, and Load makes none.
		data = fmt.Append(nil, err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16])
}

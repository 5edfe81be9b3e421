package sendlog

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
)

// Embedded is the address of the Redis that comes along and keeps its files in
// the data directory.
const Embedded = "embedded"

// anchorFile remembers which journal was seen at which Redis, so that another
// one in its place, or an empty one, is noticed.
const anchorFile = "redis.json"

// anchor is the journal that was last seen at an address.
type anchor struct {
	ID string `json:"id"`
	// Sent tells that it had given out a number, to this runner or another one:
	// in its place an empty one is a loss.
	Sent bool `json:"sent,omitempty"`
}

// Anchored is the id of the journal that was last seen at an address; "" is none.
func Anchored(d Disk, address string) (string, error) {
	all, err := readAnchors(d)
	return all[address].ID, err
}

// readAnchors reads which journals were seen by the addresses of their Redis.
func readAnchors(d Disk) (map[string]anchor, error) {
	out := map[string]anchor{}
	data, err := d.Read(anchorFile)
	if errors.Is(err, fs.ErrNotExist) {
		return out, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &out)
	}
	if err != nil {
		return nil, fmt.Errorf("send log %s: %w", anchorFile, err)
	}
	return out, nil
}

// keep remembers the journal at an address; "" is one that is not to be found
// again.
func keep(d Disk, address string, a anchor) error {
	if address == "" {
		return nil
	}
	all, err := readAnchors(d)
	if err != nil {
		return err
	}
	if was := all[address]; was == a || was.ID == a.ID && was.Sent {
		return nil
	}
	all[address] = a
	data, err := json.Marshal(all)
	if err == nil {
		err = writeWhole(d, anchorFile, data)
	}
	if err != nil {
		return fmt.Errorf("send log %s: %w", anchorFile, err)
	}
	return nil
}

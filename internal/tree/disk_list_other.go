//go:build !linux

package tree

// entriesOf lists a folder, in no order.
func entriesOf(folder string) ([]entry, error) {
	f, err := open(folder)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	there, err := f.ReadDir(-1)
	if err != nil {
		return nil, err
	}
	entries := make([]entry, len(there))
	for i, e := range there {
		entries[i] = entry{e.Name(), e.Type()}
	}
	return entries, nil
}

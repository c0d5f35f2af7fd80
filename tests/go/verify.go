// Verifies an exported log with the packages of the Go checksum database, which know nothing of us:
// the signed note, the root from the tiles, an inclusion proof of every leaf, and a consistency
// proof from every smaller size. Usage: verify FOLDER VKEY, where VKEY is the Ed25519 verifier key.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "verify:", err)
		os.Exit(1)
	}
}

// files reads hash tiles of height 8 from the paths of C2SP tlog-tiles.
type files struct{ folder string }

func (f files) Height() int { return 8 }

func (f files) SaveTiles([]tlog.Tile, [][]byte) {}

func (f files) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		// Go writes tile/8/LEVEL/INDEX, the C2SP text tile/LEVEL/INDEX.
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		bytes, err := os.ReadFile(filepath.Join(f.folder, path))
		if err != nil {
			return nil, err
		}
		all = append(all, bytes)
	}
	return all, nil
}

// leaf reads one entry from its bundle.
func (f files) leaf(index, size int64) ([]byte, error) {
	tile := tlog.Tile{H: 8, L: 0, N: index / 256, W: 256}
	if left := size - tile.N*256; left < 256 {
		tile.W = int(left)
	}
	path := strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)
	bytes, err := os.ReadFile(filepath.Join(f.folder, path))
	if err != nil {
		return nil, err
	}
	for skip := index % 256; ; skip-- {
		if len(bytes) < 2 || len(bytes)-2 < int(binary.BigEndian.Uint16(bytes)) {
			return nil, fmt.Errorf("bundle of leaf %d is cut short", index)
		}
		length := int(binary.BigEndian.Uint16(bytes))
		if skip == 0 {
			return bytes[2 : 2+length], nil
		}
		bytes = bytes[2+length:]
	}
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: verify FOLDER VKEY")
		os.Exit(2)
	}
	source := files{os.Args[1]}
	text, err := os.ReadFile(filepath.Join(source.folder, "checkpoint"))
	check(err)
	verifier, err := note.NewVerifier(os.Args[2])
	check(err)
	signed, err := note.Open(text, note.VerifierList(verifier))
	check(err)
	lines := strings.Split(signed.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		check(fmt.Errorf("the checkpoint is not of %s", verifier.Name()))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	var root tlog.Hash
	bytes, err := base64.StdEncoding.DecodeString(lines[2])
	check(err)
	copy(root[:], bytes)

	// The reader checks each tile that it reads against the root.
	reader := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, source)
	computed, err := tlog.TreeHash(size, reader)
	check(err)
	if computed != root {
		check(fmt.Errorf("the tiles do not lead to the signed root"))
	}
	for index := int64(0); index < size; index++ {
		leaf, err := source.leaf(index, size)
		check(err)
		proof, err := tlog.ProveRecord(size, index, reader)
		check(err)
		check(tlog.CheckRecord(proof, size, root, index, tlog.RecordHash(leaf)))
		older, err := tlog.TreeHash(index+1, reader)
		check(err)
		path, err := tlog.ProveTree(size, index+1, reader)
		check(err)
		check(tlog.CheckTree(path, size, root, index+1, older))
	}
	fmt.Printf("%d leaves, %d signatures known, root and every proof hold\n", size, len(signed.Sigs))
}

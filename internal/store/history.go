package store

import (
	_ "embed"
	"encoding/json"
	"sync"

	"github.com/klauspost/compress/zstd"

	"lianqin/internal/casework"
	"lianqin/internal/fault"
)

// Histories are JSON, packed by zstd with a dictionary of what most of them
// say: a tenth of their size. The dictionary never changes; another one would
// have another number, and both would be read.
const dictionaryID = 1

//go:embed history.dict
var dictionary []byte

var (
	packer   = must(zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(true), zstd.WithEncoderDictRaw(dictionaryID, dictionary)))
	unpacker = must(zstd.NewReader(nil, zstd.WithDecoderMaxMemory(64<<20), zstd.WithDecoderConcurrency(0), zstd.WithDecoderDictRaw(dictionaryID, dictionary)))
)

// must is for what depends on nothing but the program itself.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var textPool = sync.Pool{New: func() any { return new([]byte) }}

func packEntries(entries []casework.Entry) ([]byte, error) {
	text := textPool.Get().(*[]byte)
	defer textPool.Put(text)
	var err error
	if *text, err = casework.AppendEntries((*text)[:0], entries); err != nil {
		return nil, fault.New(fault.Internal, "history: %w", err)
	}
	return packer.EncodeAll(*text, make([]byte, 0, 256+len(*text)/8)), nil
}

func packJSON(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fault.New(fault.Internal, "history: %w", err)
	}
	return packer.EncodeAll(text, make([]byte, 0, 256+len(text)/8)), nil
}

func unpackJSON(packed []byte, v any) error {
	text, err := unpacker.DecodeAll(packed, nil)
	if err == nil {
		err = json.Unmarshal(text, v)
	}
	if err != nil {
		return fault.New(fault.Internal, "packed entries: %w", err)
	}
	return nil
}

// unpackEntries are packed entries of a case, whose ID those do not need to
// say.
func unpackEntries(id int64, packed []byte) ([]casework.Entry, error) {
	var entries []casework.Entry
	if err := unpackJSON(packed, &entries); err != nil {
		return nil, fault.New(fault.Internal, "history of case %d: %w", id, err)
	}
	for i := range entries {
		entries[i].Case = id
	}
	return entries, nil
}

package casework

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"io"

	"github.com/klauspost/compress/zstd"

	"lianqin/internal/fault"
)

// plainText is r unpacked, where it begins as gzip and zstd do.
func plainText(r io.Reader) (io.ReadCloser, error) {
	in := bufio.NewReader(r)
	switch head, _ := in.Peek(4); {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, fault.New(fault.Invalid, "not gzip: %w", err)
		}
		return z, nil
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(in, zstd.WithDecoderMaxMemory(64<<20), zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, fault.New(fault.Invalid, "not zstd: %w", err)
		}
		return z.IOReadCloser(), nil
	}
	return io.NopCloser(in), nil
}

// PackTo packs what is written by zstd, as plainText unpacks it. Closing it
// ends the file and leaves w open.
func PackTo(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) }

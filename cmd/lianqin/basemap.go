package main

import (
	"os"
	"path/filepath"

	"lianqin/internal/basemap"
)

// baseMap is what lies under the map; nil when nothing was said.
func (c *serverFlags) baseMap() (*basemap.Source, error) {
	if c.BaseMap == "" {
		return nil, nil
	}
	f, err := os.Open(c.BaseMap)
	if err != nil {
		return nil, notFound(c.BaseMap, err)
	}
	defer f.Close()
	setting, err := basemap.Read(f, filepath.Dir(c.BaseMap))
	if err != nil {
		return nil, err
	}
	return basemap.NewSource(setting, nil), nil
}

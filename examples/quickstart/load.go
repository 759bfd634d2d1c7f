package main

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/redmoon-go/redmoon/internal/demo"
	"github.com/redmoon-go/redmoon/pipectx"
)

// cities are the places of the world with at least 15,000 inhabitants. Source:
// GeoNames, CC BY 4.0; see data/README.md.
//
//go:embed data/cities15000.csv.gz
var cities []byte

const (
	rows   = 24323
	header = "geoname_id,name,country,admin1,lat,lon,population,feature"
)

// shipped opens the file that is part of the program.
func shipped() (io.Reader, error) { return gzip.NewReader(bytes.NewReader(cities)) }

// batch is how many cities go into one pipeline.
const batch = 1000

// Load stores the cities of a CSV file and returns how many there are. A row
// that cannot be read ends it with an error that names the row; what stands
// before that row is stored.
func (a *Atlas) Load(ctx context.Context, name string, file io.Reader, bar *demo.Progress) (stored int, err error) {
	defer bar.End()
	r := csv.NewReader(file)
	r.ReuseRecord = true
	switch row, err := r.Read(); {
	case err == io.EOF:
		return 0, fmt.Errorf("%s: the file is empty; its first line is %s", name, header)
	case err != nil:
		return 0, fmt.Errorf("%s: %w", name, err)
	case strings.Join(row, ",") != header:
		return 0, fmt.Errorf("%s: the first line is not %s; add it, or give a CSV file that has these columns", name, header)
	}
	for more := true; more; {
		var broken error
		n := 0
		err := pipectx.Run(ctx, a.db, func(ctx context.Context) error {
			for ; n < batch; n++ {
				row, err := r.Read()
				if err == io.EOF {
					more = false
					break
				}
				var city City
				if err == nil {
					city, err = parse(row)
				}
				if err != nil {
					broken = located(name, r, err)
					break
				}
				if err := a.Store(ctx, city); err != nil {
					broken = located(name, r, err)
					break
				}
			}
			return nil
		})
		if err != nil {
			return stored, err
		}
		stored += n
		bar.Add(n)
		if broken != nil {
			return stored, fmt.Errorf("%w; the %d cities before it are stored: mend the row and run again", broken, stored)
		}
	}
	return stored, nil
}

// located names the line of a broken row.
func located(name string, r *csv.Reader, err error) error {
	var bad *csv.ParseError
	if errors.As(err, &bad) {
		return fmt.Errorf("%s: %w", name, err) // it names line and column itself
	}
	line, _ := r.FieldPos(0)
	return fmt.Errorf("%s: line %d: %w", name, line, err)
}

// parse reads a row; its columns are those of header.
func parse(row []string) (c City, err error) {
	number := func(column, text string, into any) {
		var e error
		switch into := into.(type) {
		case *int64:
			*into, e = strconv.ParseInt(text, 10, 64)
		case *float64:
			*into, e = strconv.ParseFloat(text, 64)
		}
		if e != nil && err == nil {
			err = fmt.Errorf("column %s: %q is not a number", column, text)
		}
	}
	if len(row) != 8 {
		return c, fmt.Errorf("%d columns, want 8", len(row))
	}
	number("geoname_id", row[0], &c.ID.ID)
	c.Name, c.ID.Country, c.Feature = row[1], row[2], row[7]
	if region := row[3]; region != "" {
		c.Region = &region
	}
	number("lat", row[4], &c.Lat)
	number("lon", row[5], &c.Lon)
	number("population", row[6], &c.Population)
	return c, err
}

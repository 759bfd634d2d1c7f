package model_test

import (
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/model"
)

type document struct {
	ID   int64             `redis:"id,key"`
	Body string            `redis:"body,zstd"`
	Meta map[string]string `redis:"meta,json,gzip"`
	Code string            `redis:"code,ascii"`
	Tags []string          `redis:"tags,commas"`
}

var documents = model.Define[document, int64]("document")

// Long texts are stored compressed, and read back as they were.
func TestCompressedFields(t *testing.T) {
	client := redistest.Shared(t).Client(t)
	repo := documents.On(at(t, client).db)
	long := strings.Repeat("all work and no play ", 500)
	saved := document{ID: 1, Body: long, Meta: map[string]string{"text": long}, Code: "A-1", Tags: []string{"a", "b"}}
	if err := repo.Save(t.Context(), saved).Err(); err != nil {
		t.Fatal(err)
	}
	got, err := repo.Get(t.Context(), 1).Result()
	if err != nil || got.Body != long || got.Meta["text"] != long || got.Code != "A-1" || len(got.Tags) != 2 {
		t.Errorf("read back %.100v, %v", got, err)
	}
	for _, name := range []string{"body", "meta"} {
		if stored := client.HGet(t.Context(), "document{1}", name).Val(); stored == "" || len(stored) > len(long)/10 {
			t.Errorf("%s is stored in %d bytes of %d", name, len(stored), len(long))
		}
	}
	saved.Code = "Ä"
	if err := repo.Save(t.Context(), saved).Err(); err == nil || !strings.Contains(err.Error(), "code") {
		t.Errorf("a code that is not ASCII is saved: %v", err)
	}
}

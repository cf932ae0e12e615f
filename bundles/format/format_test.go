package format_test

import (
	"bytes"
	"reflect"
	"testing"

	"gec/bundles"
	"gec/bundles/format"
)

// mustRead reads a file that has no fault.
func mustRead(t testing.TB, name format.Name, data []byte, o format.ReadOptions) bundles.Document {
	t.Helper()
	d, _, err := format.Read(name, bytes.NewReader(data), o)
	if err != nil {
		t.Fatalf("Read(%s): %v", name, err)
	}
	return d
}

func TestImportDefaults(t *testing.T) {
	for name, want := range map[format.Name]bundles.ImportOptions{
		format.Native:   {Mode: bundles.ImportMerge},
		format.Snapshot: {Mode: bundles.ImportReplaceAll, Origin: bundles.OriginSnapshot, Lenient: true},
		format.FeeList:  {Mode: bundles.ImportReplaceOrigin, Origin: bundles.OriginFeeList, Lenient: true},
	} {
		if got := format.ImportDefaults(name); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

package api

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSlotsReadManyTypesAndWriteOne(t *testing.T) {
	t.Parallel()
	fresh := map[string]func() slot{
		"whole": func() slot { return new(whole) }, "count": func() slot { return new(count) },
		"flag": func() slot { return new(flag) }, "text": func() slot { return new(text) },
		"dollars": func() slot { return new(dollars) }, "unix": func() slot { return new(unixTime) },
		"iso": func() slot { return new(isoTime) }, "texts": func() slot { return new(texts) },
		"audience": func() slot { return new(audience) }, "proofs": func() slot { return new(proofs) },
	}
	for _, row := range []struct{ slot, read, write string }{
		{"whole", `7`, `7`}, {"whole", `"7"`, `7`}, {"whole", `" 7 "`, `7`}, {"whole", `7.0`, `7`}, {"whole", `"7.000000"`, `7`},
		{"whole", `-7`, `-7`}, {"whole", `null`, `0`}, {"whole", `""`, `0`}, {"whole", `7.5`, `error`}, {"whole", `7e0`, `error`},
		{"whole", `"seven"`, `error`}, {"whole", `true`, `error`}, {"whole", `[]`, `error`}, {"whole", `7.`, `error`},
		{"whole", `9223372036854775807`, `9223372036854775807`}, {"whole", `9223372036854775808`, `error`},
		{"count", `"24"`, `24`}, {"count", `{}`, `error`},
		{"flag", `0`, `0`}, {"flag", `1`, `1`}, {"flag", `"0"`, `0`}, {"flag", `"1"`, `1`}, {"flag", `true`, `1`},
		{"flag", `false`, `0`}, {"flag", `"True"`, `1`}, {"flag", `"false"`, `0`}, {"flag", `null`, `0`}, {"flag", `""`, `0`},
		{"flag", `2`, `error`}, {"flag", `"yes"`, `error`}, {"flag", `[1]`, `error`},
		{"text", `"a"`, `"a"`}, {"text", `null`, `""`}, {"text", `5.10`, `"5.10"`}, {"text", `true`, `"true"`},
		{"text", `{"a":[1]}`, `"{\"a\":[1]}"`},
		{"dollars", `0.03`, `0.03`}, {"dollars", `"4.875"`, `4.875`}, {"dollars", `100.000000`, `100`}, {"dollars", `-1.5`, `-1.5`},
		{"dollars", `""`, `0`}, {"dollars", `0.1234567`, `error`}, {"dollars", `3e-2`, `0.03`}, {"dollars", `"2058750e-6"`, `2.05875`},
		{"dollars", `0.22750000000000001`, `0.2275`}, {"dollars", `4.8749999999999999`, `4.875`}, {"dollars", `12.345678901234567`, `error`},
		{"dollars", `1e99999999`, `error`}, {"dollars", `1e40`, `error`}, {"dollars", `"1/4"`, `error`}, {"dollars", `"0x1p-2"`, `error`}, {"dollars", `"1,000"`, `error`},
		{"dollars", `true`, `error`}, {"dollars", `9007199254740993`, `error`}, {"dollars", `8999999.999999`, `8999999.999999`},
		{"unix", `1643857018`, `1643857018`}, {"unix", `"1643857018"`, `1643857018`}, {"unix", `0`, `0`}, {"unix", `null`, `0`},
		{"unix", `"2022-02-03T02:56:58.000000Z"`, `1643857018`}, {"unix", `"2022-02-03 02:56:58"`, `1643857018`},
		{"unix", `-1`, `error`}, {"unix", `1643857018000000`, `error`}, {"unix", `"soon"`, `error`}, {"unix", `[]`, `error`},
		{"iso", `"2022-03-18T00:34:05.000000Z"`, `"2022-03-18T00:34:05.000000Z"`},
		{"iso", `"2022-03-18T03:34:05.1234567+03:00"`, `"2022-03-18T00:34:05.123456Z"`},
		{"iso", `1647563645`, `"2022-03-18T00:34:05.000000Z"`}, {"iso", `null`, `null`}, {"iso", `"18.03.2022"`, `error`},
		{"texts", `["a","b"]`, `["a","b"]`}, {"texts", `"[\"a\",\"b\"]"`, `["a","b"]`}, {"texts", `null`, `[]`}, {"texts", `""`, `[]`},
		{"texts", `[]`, `[]`}, {"texts", `"a.jpg"`, `["a.jpg"]`}, {"texts", `{"0":"a","2":"b"}`, `["a","b"]`}, {"texts", `[1,null]`, `["1",""]`},
		{"texts", `"[not JSON]"`, `["[not JSON]"]`}, {"texts", `{"a":"b"}`, `["{\"a\":\"b\"}"]`},
		{"audience", `"INT"`, `"INT"`}, {"audience", `0`, `"0"`}, {"audience", `"0"`, `"0"`}, {"audience", `1269750`, `"1269750"`},
		{"audience", `[1269750,"1282028"]`, `"1269750,1282028"`}, {"audience", `"[\"1269750\",\"1282028\"]"`, `"1269750,1282028"`},
		{"audience", `"1269750,1282028"`, `"1269750,1282028"`}, {"audience", `null`, `""`}, {"audience", `[[1]]`, `error`},
		{"proofs", `[{"desc":"a","type":"text"}]`, `[{"desc":"a","type":"text"}]`},
		{"proofs", `"[{\"desc\":\"a\",\"type\":\"image\"}]"`, `[{"desc":"a","type":"image"}]`},
		{"proofs", `["a"]`, `[{"desc":"a","type":""}]`}, {"proofs", `null`, `[]`}, {"proofs", `"a"`, `error`}, {"proofs", `5`, `error`},
	} {
		t.Run(row.slot+" "+row.read, func(t *testing.T) {
			t.Parallel()
			v, err := parse([]byte(row.read))
			if row.read == "7." {
				v, err = "7.", nil
			}
			if err != nil {
				t.Fatal(err)
			}
			s := fresh[row.slot]()
			got := "error"
			if s.read(v) == nil {
				got = string(s.appendJSON(nil))
			}
			if got != row.write {
				t.Errorf("written as %s, want %s", got, row.write)
			}
		})
	}
}

func TestDropTrailingCommas(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"a":1,}`:             `{"a":1}`,
		"{\"a\":1 ,\r\n\t }":   "{\"a\":1 \r\n\t }",
		`[1,2,]`:               `[1,2]`,
		`{"a":",}",}`:          `{"a":",}"}`,
		`{"a":"\",]",}`:        `{"a":"\",]"}`,
		`{"a":"\\",}`:          `{"a":"\\"}`,
		`[1,,]`:                `[1,]`,
		`[1,2`:                 `[1,2`,
		`,`:                    `,`,
		`"open ,}`:             `"open ,}`,
		`{"a":[{"b":1,},],}`:   `{"a":[{"b":1}]}`,
		`{"result":"ok",`:      `{"result":"ok",`,
		"{\"a\":\"x\\":         "{\"a\":\"x\\",
		`{"app_id": 501141, }`: `{"app_id": 501141 }`,
	} {
		if got := string(dropTrailingCommas([]byte(in))); got != want {
			t.Errorf("%s became %s, want %s", in, got, want)
		}
	}
}

func TestAnAbsentListIsNoEmptyList(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`null`, `{}`, `""`, `0`, `false`, `{"data":null}`, `{"jobs":{}}`, `{"data":{"data":{"data":[]}}}`,
		`{"items":[]}`, `"[]"`, `[null]`, `[[]]`, `[{"id":1}]`, `{"message":"ok"}`} {
		v, err := parse([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		if jobs, err := readRows[Job](v, "jobs"); err == nil {
			t.Errorf("%s was read as %d jobs", body, len(jobs))
		}
	}
}

func TestAJobNeedsTheFieldsThatDecide(t *testing.T) {
	t.Parallel()
	const whole = `{"id":1,"total_app":2,"availseats":3,"price":0.2,"status":1}`
	if v, err := parse([]byte(whole)); err != nil || readRecord(v, new(Job)) != nil {
		t.Fatalf("%s is not read", whole)
	}
	for _, name := range []string{"id", "total_app", "availseats", "price", "status"} {
		for _, instead := range []string{`"x":1`, `"` + name + `":null`, `"` + name + `":""`, `"` + name + `":"many"`} {
			i := strings.Index(whole, `"`+name+`"`)
			end := i + strings.IndexAny(whole[i:], ",}")
			body := whole[:i] + instead + whole[end:]
			v, err := parse([]byte(body))
			if err != nil {
				t.Fatal(err)
			}
			if err := readRecord(v, new(Job)); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s: error %v, want one about %s", body, err, name)
			}
		}
	}
}

func TestAValueMadeByHandPrintsEveryField(t *testing.T) {
	t.Parallel()
	b, err := Country{ID: 7, Code: "IN"}.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"country_id":7,"name":"","code":"IN","continent":"","nameTranslated":""}`
	if diff := cmp.Diff(want, string(b)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

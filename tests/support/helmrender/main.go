// Renders a Helm chart, as `helm template` does: for tests, on a Debian that has no helm.
//
//	helmrender CHART RELEASE NAMESPACE <values.json >texts.json
//
// The values are those that are in force, as JSON; what comes is a JSON object of each template's text by its
// file's name. It has Go's text/template, sprig, and of helm's own functions include, tpl, required, toYaml,
// fromYaml, toJson, fromJson and lookup (which finds nothing, as in `helm template`). Stricter than helm: a
// value that is not there is an error where it is printed. What it does not do: parts of other charts, hooks,
// post-renderers, merging values, their schema (the test does both), and whatever newer versions of helm and
// sprig have learnt.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"
	"gopkg.in/yaml.v3"
)

type files struct{ folder string }

// Get is empty for a file that is not there, as helm's is; so tests would pass over a wrong name. Not here.
func (f files) Get(name string) (string, error) {
	text, err := os.ReadFile(filepath.Join(f.folder, name))
	return string(text), err
}

type versions []string

func (v versions) Has(wanted string) bool {
	for _, version := range v {
		if version == wanted {
			return true
		}
	}
	return false
}

// Through JSON, as helm does it: names of fields and the order of keys are those of JSON.
func toYaml(value any) (string, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return "", err
	}
	var plain any
	if err := json.Unmarshal(text, &plain); err != nil {
		return "", err
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	err = encoder.Encode(plain)
	return strings.TrimSuffix(out.String(), "\n"), err
}

func fromYaml(text string) (map[string]any, error) {
	value := map[string]any{}
	err := yaml.Unmarshal([]byte(text), &value)
	return value, err
}

func toJson(value any) (string, error) {
	text, err := json.Marshal(value)
	return string(text), err
}

func fromJson(text string) (map[string]any, error) {
	value := map[string]any{}
	err := json.Unmarshal([]byte(text), &value)
	return value, err
}

func required(message string, value any) (any, error) {
	if value == nil || value == "" {
		return nil, fmt.Errorf("%s", message)
	}
	return value, nil
}

func functions(root *template.Template) template.FuncMap {
	all := sprig.TxtFuncMap()
	delete(all, "env")
	delete(all, "expandenv")
	own := template.FuncMap{
		"toYaml": toYaml, "fromYaml": fromYaml, "toJson": toJson, "fromJson": fromJson, "required": required,
		"lookup": func(string, string, string, string) map[string]any { return map[string]any{} },
		"include": func(name string, data any) (string, error) {
			var out strings.Builder
			err := root.ExecuteTemplate(&out, name, data)
			return out.String(), err
		},
		"tpl": func(text string, data any) (string, error) {
			clone, err := root.Clone()
			if err != nil {
				return "", err
			}
			parsed, err := clone.New("tpl").Parse(text)
			if err != nil {
				return "", err
			}
			var out strings.Builder
			err = parsed.Execute(&out, data)
			return out.String(), err
		},
	}
	for name, function := range own {
		all[name] = function
	}
	return all
}

func chartOf(folder string) (map[string]any, error) {
	text, err := os.ReadFile(filepath.Join(folder, "Chart.yaml"))
	if err != nil {
		return nil, err
	}
	written, err := fromYaml(string(text))
	chart := map[string]any{}
	for key, value := range written {
		chart[strings.ToUpper(key[:1])+key[1:]] = value
	}
	return chart, err
}

func render(folder, release, namespace string, values map[string]any) (map[string]string, error) {
	chart, err := chartOf(folder)
	if err != nil {
		return nil, err
	}
	root := template.New("chart").Option("missingkey=zero")
	root.Funcs(functions(root))
	names, err := filepath.Glob(filepath.Join(folder, "templates", "*"))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		if _, err := root.New(filepath.Base(name)).Parse(string(text)); err != nil {
			return nil, err
		}
	}
	texts := map[string]string{}
	for _, path := range names {
		name := filepath.Base(path)
		if strings.HasPrefix(name, "_") {
			continue
		}
		var out strings.Builder
		err := root.ExecuteTemplate(&out, name, map[string]any{
			"Values": values,
			"Chart":  chart,
			"Files":  files{folder},
			"Release": map[string]any{"Name": release, "Namespace": namespace, "Service": "Helm",
				"Revision": 1, "IsInstall": true, "IsUpgrade": false},
			"Capabilities": map[string]any{
				"KubeVersion": map[string]any{"Version": "v1.29.0", "Major": "1", "Minor": "29"},
				"APIVersions": versions{"v1", "apps/v1", "policy/v1", "networking.k8s.io/v1"}},
			"Template": map[string]any{"Name": name, "BasePath": "templates"},
		})
		if err != nil {
			return nil, err
		}
		if strings.Contains(out.String(), "<no value>") {
			return nil, fmt.Errorf("%s prints a value that is not there:\n%s", name, out.String())
		}
		texts[name] = out.String()
	}
	return texts, nil
}

func run() error {
	if len(os.Args) != 4 {
		return fmt.Errorf("usage: helmrender CHART RELEASE NAMESPACE <values.json")
	}
	values := map[string]any{}
	if err := json.NewDecoder(os.Stdin).Decode(&values); err != nil {
		return err
	}
	texts, err := render(os.Args[1], os.Args[2], os.Args[3], values)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(texts)
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "helmrender:", err)
		os.Exit(1)
	}
}

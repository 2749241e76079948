package services

import (
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// libraries is where Debian has those of this machine's architecture.
const libraries = "/usr/lib/x86_64-linux-gnu"

// closure are programs of a root with all libraries that they need and the loader: where
// each lies in the image, and on this machine.
func closure(root string, programs []string) (map[string]string, error) {
	found := map[string]string{}
	todo := programs
	for len(todo) > 0 {
		path := todo[0]
		todo = todo[1:]
		if found[path] != "" {
			continue
		}
		found[path] = filepath.Join(root, path)
		needed, err := needs(root, path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		todo = append(todo, needed...)
	}
	return found, nil
}

// needs are the paths of what a program or library of a root loads, and its interpreter.
func needs(root, path string) ([]string, error) {
	file, err := elf.Open(filepath.Join(root, path))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	names, err := file.ImportedLibraries()
	if err != nil {
		return nil, err
	}
	own, err := file.DynString(elf.DT_RUNPATH)
	if err != nil {
		return nil, err
	}
	folders := append(strings.Split(strings.Join(own, ":"), ":"), libraries, libraries+"/frr", "/usr/lib64")
	var paths []string
	for _, name := range names {
		at, err := find(root, name, folders)
		if err != nil {
			return nil, err
		}
		paths = append(paths, at)
	}
	if section := file.Section(".interp"); section != nil {
		text, err := section.Data()
		if err != nil {
			return nil, err
		}
		paths = append(paths, "/usr"+strings.TrimRight(string(text), "\x00")) // /lib64 is a link into /usr
	}
	return paths, nil
}

func find(root, name string, folders []string) (string, error) {
	for _, folder := range folders {
		path := filepath.Join(folder, name)
		if _, err := os.Stat(filepath.Join(root, path)); folder != "" && err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("library %s is in none of %v of %s", name, folders, root)
}

package memory

import (
	"crypto/sha1" //nolint:gosec // Redis names scripts by it
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"
)

// newState makes the one Lua machine that all scripts run in. As in Redis they
// have no files, no clock and no globals of their own.
func (r *Redis) newState() *lua.LState {
	l := lua.NewState(lua.Options{SkipOpenLibs: true})
	for name, open := range map[string]lua.LGFunction{
		lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable,
		lua.StringLibName: lua.OpenString, lua.MathLibName: lua.OpenMath,
	} {
		l.Push(l.NewFunction(open))
		l.Push(lua.LString(name))
		l.Call(1, 0)
	}
	for _, name := range []string{"dofile", "loadfile", "print", "collectgarbage", "require", "module"} {
		l.SetGlobal(name, lua.LNil)
	}
	lib := l.NewTable()
	lib.RawSetString("call", l.NewFunction(r.call))
	lib.RawSetString("pcall", l.NewFunction(r.pcall))
	l.SetGlobal("redis", lib)
	guard := l.NewTable()
	guard.RawSetString("__newindex", l.NewFunction(func(l *lua.LState) int {
		l.RaiseError("Script attempted to create global variable '%s'", l.ToString(2))
		return 0
	}))
	guard.RawSetString("__index", l.NewFunction(func(l *lua.LState) int {
		l.RaiseError("Script attempted to access nonexistent global variable '%s'", l.ToString(2))
		return 0
	}))
	l.SetMetatable(l.G.Global, guard)
	return l
}

func (r *Redis) script(args []string) any {
	switch strings.ToUpper(args[0]) {
	case "LOAD":
		if len(args) != 2 {
			return errSyntax
		}
		sha, err := r.compile(args[1])
		if err != nil {
			return err
		}
		return sha
	case "EXISTS":
		out := make([]any, len(args)-1)
		for i, sha := range args[1:] {
			out[i] = int64(0)
			if _, ok := r.scripts[strings.ToLower(sha)]; ok {
				out[i] = int64(1)
			}
		}
		return out
	case "FLUSH":
		clear(r.scripts)
		return status("OK")
	}
	return Error(fmt.Sprintf("ERR unknown subcommand '%s'. Try SCRIPT HELP.", args[0]))
}

func (r *Redis) compile(source string) (string, error) {
	sum := sha1.Sum([]byte(source)) //nolint:gosec // as above
	sha := hex.EncodeToString(sum[:])
	if _, ok := r.scripts[sha]; ok {
		return sha, nil
	}
	proto, err := compiled(sha, source)
	if err != nil {
		return "", Error("ERR Error compiling script (new function): " + oneLine(err))
	}
	r.scripts[sha] = r.lua.NewFunctionFromProto(proto)
	return sha, nil
}

// protos holds what scripts were compiled to, for all servers of the process:
// the code of a script holds no state.
var protos sync.Map

func compiled(sha, source string) (*lua.FunctionProto, error) {
	if kept, ok := protos.Load(sha); ok {
		if proto, ok := kept.(*lua.FunctionProto); ok {
			return proto, nil
		}
	}
	chunk, err := parse.Parse(strings.NewReader(source), "user_script")
	if err != nil {
		return nil, err
	}
	proto, err := lua.Compile(chunk, "user_script")
	if err != nil {
		return nil, err
	}
	protos.Store(sha, proto)
	return proto, nil
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

func (r *Redis) eval(args []string) any {
	sha, err := r.compile(args[0])
	if err != nil {
		return err
	}
	return r.runScript(r.scripts[sha], args[1:])
}

func (r *Redis) evalsha(args []string) any {
	f, ok := r.scripts[strings.ToLower(args[0])]
	if !ok {
		return errNoScript
	}
	return r.runScript(f, args[1:])
}

// runScript runs a script. args are the number of keys, the keys and the rest.
func (r *Redis) runScript(f *lua.LFunction, args []string) any {
	n, err := number(args[0])
	switch {
	case err != nil:
		return err
	case n < 0:
		return Error("ERR Number of keys can't be negative")
	case int(n) > len(args)-1:
		return Error("ERR Number of keys can't be greater than number of args")
	}
	l := r.lua
	l.G.Global.RawSetString("KEYS", texts(l, args[1:1+n]))
	l.G.Global.RawSetString("ARGV", texts(l, args[1+n:]))
	defer l.SetTop(0)
	if err := l.CallByParam(lua.P{Fn: f, NRet: 1, Protect: true}); err != nil {
		return scriptError(err)
	}
	return fromLua(l.Get(-1))
}

func texts(l *lua.LState, list []string) *lua.LTable {
	t := l.CreateTable(len(list), 0)
	for _, s := range list {
		t.Append(lua.LString(s))
	}
	return t
}

func scriptError(err error) Error {
	var api *lua.ApiError
	if !errors.As(err, &api) {
		return Error("ERR " + oneLine(err))
	}
	if t, ok := api.Object.(*lua.LTable); ok {
		if msg, ok := t.RawGetString("err").(lua.LString); ok {
			return Error(msg)
		}
	}
	return Error("ERR " + strings.Join(strings.Fields(api.Object.String()), " "))
}

// call is redis.call: an error ends the script.
func (r *Redis) call(l *lua.LState) int {
	reply := r.fromScript(l)
	if err, ok := reply.(Error); ok {
		l.Error(errorTable(l, err), 1)
	}
	l.Push(toLua(l, reply))
	return 1
}

// pcall is redis.pcall: an error is an answer.
func (r *Redis) pcall(l *lua.LState) int {
	l.Push(toLua(l, r.fromScript(l)))
	return 1
}

func (r *Redis) fromScript(l *lua.LState) any {
	top := l.GetTop()
	if top == 0 {
		return Error("ERR Please specify at least one argument for this redis lib call")
	}
	args := r.args[:0]
	for i := 1; i <= top; i++ {
		switch v := l.Get(i).(type) {
		case lua.LString:
			args = append(args, string(v))
		case lua.LNumber:
			args = append(args, strconv.FormatFloat(float64(v), 'g', 17, 64))
		default:
			return Error("ERR Lua redis lib command arguments must be strings or integers")
		}
	}
	r.args = args
	c, ok := r.lookup(args[0])
	switch {
	case !ok:
		return Error("ERR Unknown Redis command called from script")
	case len(args) < c.least:
		return Error("ERR Wrong number of args calling Redis command from script")
	case c.name == "eval", c.name == "evalsha", c.name == "script":
		return Error("ERR This Redis command is not allowed from script")
	}
	return c.run(r, args[1:])
}

func errorTable(l *lua.LState, err Error) *lua.LTable {
	t := l.NewTable()
	t.RawSetString("err", lua.LString(err))
	return t
}

// toLua gives a script an answer: what is missing reads as false.
func toLua(l *lua.LState, reply any) lua.LValue {
	switch v := reply.(type) {
	case string:
		return lua.LString(v)
	case int64:
		return lua.LNumber(v)
	case status:
		t := l.NewTable()
		t.RawSetString("ok", lua.LString(v))
		return t
	case Error:
		return errorTable(l, v)
	case []any:
		t := l.CreateTable(len(v), 0)
		for _, e := range v {
			t.Append(toLua(l, e))
		}
		return t
	}
	return lua.LFalse
}

// fromLua is a script's answer: numbers lose their fraction, a list ends at its
// first nil, and false is nothing.
func fromLua(v lua.LValue) any {
	switch v := v.(type) {
	case lua.LString:
		return string(v)
	case lua.LNumber:
		return int64(v)
	case lua.LBool:
		if v {
			return int64(1)
		}
	case *lua.LTable:
		if s, ok := v.RawGetString("err").(lua.LString); ok {
			return Error(s)
		}
		if s, ok := v.RawGetString("ok").(lua.LString); ok {
			return status(s)
		}
		out := []any{}
		for i := 1; ; i++ {
			e := v.RawGetInt(i)
			if e == lua.LNil {
				return out
			}
			out = append(out, fromLua(e))
		}
	}
	return nil
}

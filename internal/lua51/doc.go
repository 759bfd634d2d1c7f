// Package lua51 reads Lua 5.1 as Redis runs it: it lexes, parses and resolves
// a script and keeps what a compiler of scripts has to know about it.
//
// The promise is twofold. The verdict is Lua's own: a text is accepted or
// refused as luac5.1 accepts or refuses it, in Lua's words. And nothing of the
// text is lost: every node knows its bytes, every comment is kept, every name
// knows whom it names. So a tool can answer in the author's lines and can
// change a script by cutting and replacing bytes, leaving the rest verbatim.
//
//	c, err := lua51.Parse("accounts.lua", text)
//	if err != nil {
//		return err // accounts.lua:12:7: 'end' expected (to close 'if' at line 3) near '<eof>'
//	}
//	for _, use := range c.Globals {
//		fmt.Println(use.Pos(), use.Name, use.Path()) // 4:10 redis [call]
//	}
//
// # What is in a Chunk
//
//   - [Chunk.Main] is the script as a function; its Body holds the statements.
//     [Walk] visits a node and all below it, in the order of the text.
//
//   - [Chunk.Functions] are all functions written in the script, each with its
//     parameters, its upvalues, and the statement that names it.
//
//   - A [Name] is one use of a variable, and the hub of the analysis. It knows
//     its [Local] (nil: a global) and what is done to it.
//
//   - A [Local] lists its uses, what declared it, and whether an inner
//     function captured it; [Chunk.Globals] lists the uses of globals.
//
//   - [Chunk.Calls] and [Chunk.MethodCalls] list the calls. [Call.Callee] is
//     the constant path that is called, if it has one.
//
//   - [Chunk.Top] tells of each statement at the top what it declares and
//     whether it does nothing but define functions.
//
//   - [Chunk.Comments] keeps the comments; [Chunk.CommentsAbove] finds those
//     that belong to a node, where directives stand.
//
//   - [Chunk.Cut], [Chunk.Replace] and [Chunk.Apply] change the text.
//
// What a Name knows, by example:
//
//	M.limits.max = 5       Chain is M.limits.max; Store
//	M = nil                Chain is M; Write
//	redis.call("GET", k)   Chain is redis.call; Suffix is the call
//	KEYS[1]                Chain is KEYS; Suffix is the index
//	self:incr("n", 1)      Chain is self; Suffix is the method call; it escapes
//	return self            Chain is self; it escapes
//
// # Positions
//
// Offsets count bytes from 0. Lines and columns count from 1, columns in
// bytes. \n, \r, \r\n and \n\r each end one line, as in Lua. An End is the
// offset after the last byte. The `;` after a statement is not part of it.
//
// # What is Lua 5.1 here
//
// There is no goto (it is a name), no integer division, no empty statement.
// Hex floats are numbers where the C library of a server reads them. The
// function's hidden table `arg` exists in every vararg function, as Redis
// builds Lua with it. A call whose parenthesis opens on a new line and `[[`
// inside `[[ ]]` are refused. A first line starting with # is refused too: only
// luac skips it. A server takes away a line `#!lua …` before Lua sees the text,
// so a caller who allows one does the same.
//
// Limits are Lua's: 200 locals and 60 upvalues a function, 200 levels of
// syntax of which, as in luac, the caller takes one. Not checked are those of
// the code generator, which need more than 240 arguments or registers in one
// expression, or 262143 constants in one function.
//
// # Guarantees
//
// No input makes the package panic or loop; time is linear in the text, and
// depth of recursion is bounded by the levels of syntax. A chunk is not
// written to after Parse: goroutines may share it.
package lua51
